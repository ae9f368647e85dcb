/* A Bison parser, made by GNU Bison 3.8.2.  */

/* Bison interface for Yacc-like parsers in C

   Copyright (C) 1984, 1989-1990, 2000-2015, 2018-2021 Free Software Foundation,
   Inc.

   This program is free software: you can redistribute it and/or modify
   it under the terms of the GNU General Public License as published by
   the Free Software Foundation, either version 3 of the License, or
   (at your option) any later version.

   This program is distributed in the hope that it will be useful,
   but WITHOUT ANY WARRANTY; without even the implied warranty of
   MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the
   GNU General Public License for more details.

   You should have received a copy of the GNU General Public License
   along with this program.  If not, see <https://www.gnu.org/licenses/>.  */

/* As a special exception, you may create a larger work that contains
   part or all of the Bison parser skeleton and distribute that work
   under terms of your choice, so long as that work isn't itself a
   parser generator using the skeleton or a modified version thereof
   as a parser skeleton.  Alternatively, if you modify or redistribute
   the parser skeleton itself, you may (at your option) remove this
   special exception, which will cause the skeleton and the resulting
   Bison output files to be licensed under the GNU General Public
   License without this special exception.

   This special exception was added by the Free Software Foundation in
   version 2.2 of Bison.  */

/* DO NOT RELY ON FEATURES THAT ARE NOT DOCUMENTED in the manual,
   especially those whose name start with YY_ or yy_.  They are
   private implementation details that can be changed or removed.  */

#ifndef YY_POLICY_YY_POLICIES_GRAMMAR_H_INCLUDED
# define YY_POLICY_YY_POLICIES_GRAMMAR_H_INCLUDED
/* Debug traces.  */
#ifndef POLICY_YYDEBUG
# if defined YYDEBUG
#if YYDEBUG
#   define POLICY_YYDEBUG 1
#  else
#   define POLICY_YYDEBUG 0
#  endif
# else /* ! defined YYDEBUG */
#  define POLICY_YYDEBUG 0
# endif /* ! defined YYDEBUG */
#endif  /* ! defined POLICY_YYDEBUG */
#if POLICY_YYDEBUG
extern int policy_yydebug;
#endif
/* "%code requires" blocks.  */
#line 19 "../policies/grammar.y"

#include "policies/parser.h"

#line 61 "policies/grammar.h"

/* Token kinds.  */
#ifndef POLICY_YYTOKENTYPE
# define POLICY_YYTOKENTYPE
  enum policy_yytokentype
  {
    T_POLICY_YYEMPTY = -2,
    T_END_OF_FILE = 0,             /* "the end of the file"  */
    T_POLICY_YYerror = 1,          /* error  */
    T_POLICY_YYUNDEF = 2,          /* "invalid token"  */
    T_START_POLICY = 3,            /* START_POLICY  */
    T_START_EXPECTATIONS = 4,      /* START_EXPECTATIONS  */
    T_COMMA = 5,                   /* "a comma"  */
    T_EQUALS = 6,                  /* "="  */
    T_COLON = 7,                   /* ":"  */
    T_OPEN = 8,                    /* "("  */
    T_CLOSE = 9,                   /* ")"  */
    T_END = 10,                    /* "the end of the sentence"  */
    T_OUTGOING = 11,               /* "outgoing"  */
    T_INTERNAL = 12,               /* "internal"  */
    T_INCOMING = 13,               /* "incoming"  */
    T_RELAYED = 14,                /* "relayed"  */
    T_COPY = 15,                   /* "copy"  */
    T_LIST = 16,                   /* "list"  */
    T_DOMAINS = 17,                /* "domains"  */
    T_NOT = 18,                    /* "not"  */
    T_TO = 19,                     /* "to"  */
    T_FROM = 20,                   /* "from"  */
    T_SUBJECT = 21,                /* "subject"  */
    T_HEADER = 22,                 /* "header"  */
    T_HAS = 23,                    /* "has"  */
    T_IS = 24,                     /* "is"  */
    T_REQUIRE = 25,                /* "require"  */
    T_PREFER = 26,                 /* "prefer"  */
    T_PLAIN = 27,                  /* "plain"  */
    T_REJECT = 28,                 /* "reject"  */
    T_SMIME = 29,                  /* "smime"  */
    T_PGP = 30,                    /* "pgp"  */
    T_PORTAL = 31,                 /* "portal"  */
    T_TLS = 32,                    /* "tls"  */
    T_VERIFIED = 33,               /* "verified"  */
    T_OVER = 34,                   /* "over"  */
    T_SIGN = 35,                   /* "sign"  */
    T_AS = 36,                     /* "as"  */
    T_REMOVE = 37,                 /* "remove"  */
    T_TAG = 38,                    /* "tag"  */
    T_EXPECT = 39,                 /* "expect"  */
    T_NO = 40,                     /* "no"  */
    T_RULE = 41,                   /* "rule"  */
    T_LINE = 42,                   /* "line"  */
    T_LATER = 43,                  /* "a word of a later version"  */
    T_STRING = 44,                 /* "a text in \"quotes\""  */
    T_NAME = 45,                   /* "the name of a list"  */
    T_NUMBER = 46                  /* "a number"  */
  };
  typedef enum policy_yytokentype policy_yytoken_kind_t;
#endif
/* Token kinds.  */
#define T_POLICY_YYEMPTY -2
#define T_END_OF_FILE 0
#define T_POLICY_YYerror 1
#define T_POLICY_YYUNDEF 2
#define T_START_POLICY 3
#define T_START_EXPECTATIONS 4
#define T_COMMA 5
#define T_EQUALS 6
#define T_COLON 7
#define T_OPEN 8
#define T_CLOSE 9
#define T_END 10
#define T_OUTGOING 11
#define T_INTERNAL 12
#define T_INCOMING 13
#define T_RELAYED 14
#define T_COPY 15
#define T_LIST 16
#define T_DOMAINS 17
#define T_NOT 18
#define T_TO 19
#define T_FROM 20
#define T_SUBJECT 21
#define T_HEADER 22
#define T_HAS 23
#define T_IS 24
#define T_REQUIRE 25
#define T_PREFER 26
#define T_PLAIN 27
#define T_REJECT 28
#define T_SMIME 29
#define T_PGP 30
#define T_PORTAL 31
#define T_TLS 32
#define T_VERIFIED 33
#define T_OVER 34
#define T_SIGN 35
#define T_AS 36
#define T_REMOVE 37
#define T_TAG 38
#define T_EXPECT 39
#define T_NO 40
#define T_RULE 41
#define T_LINE 42
#define T_LATER 43
#define T_STRING 44
#define T_NAME 45
#define T_NUMBER 46

/* Value type.  */
#if ! defined POLICY_YYSTYPE && ! defined POLICY_YYSTYPE_IS_DECLARED
union POLICY_YYSTYPE
{
#line 39 "../policies/grammar.y"

	Word *word;
	GPtrArray *array;
	Condition *condition;
	Outcome *outcome;
	Direction direction;
	Transport transport;
	Rung rung;
	gboolean flag;

#line 184 "policies/grammar.h"

};
typedef union POLICY_YYSTYPE POLICY_YYSTYPE;
# define POLICY_YYSTYPE_IS_TRIVIAL 1
# define POLICY_YYSTYPE_IS_DECLARED 1
#endif

/* Location type.  */
typedef Span POLICY_YYLTYPE;




int policy_yyparse (Parser *parser);

/* "%code provides" blocks.  */
#line 23 "../policies/grammar.y"

/* tokens.c */
int policy_yylex(POLICY_YYSTYPE *value, Span *where, Parser *parser);

/* parser.c: says what was found and what was expected. */
void parser_report(Parser *parser, const Span *where, const int *expected, int count);
/* A symbol's token kind, and its name for people. */
const char *grammar_name(int symbol);

#line 211 "policies/grammar.h"

#endif /* !YY_POLICY_YY_POLICIES_GRAMMAR_H_INCLUDED  */
