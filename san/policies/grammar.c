/* A Bison parser, made by GNU Bison 3.8.2.  */

/* Bison implementation for Yacc-like parsers in C

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

/* C LALR(1) parser skeleton written by Richard Stallman, by
   simplifying the original so-called "semantic" parser.  */

/* DO NOT RELY ON FEATURES THAT ARE NOT DOCUMENTED in the manual,
   especially those whose name start with YY_ or yy_.  They are
   private implementation details that can be changed or removed.  */

/* All symbols defined below should begin with yy or YY, to avoid
   infringing on user name space.  This should be done even for local
   variables, as they might otherwise be expanded by user macros.
   There are some unavoidable exceptions within include files to
   define necessary library symbols; they are noted "INFRINGES ON
   USER NAME SPACE" below.  */

/* Identify Bison output, and Bison version.  */
#define YYBISON 30802

/* Bison version string.  */
#define YYBISON_VERSION "3.8.2"

/* Skeleton name.  */
#define YYSKELETON_NAME "yacc.c"

/* Pure parsers.  */
#define YYPURE 2

/* Push parsers.  */
#define YYPUSH 0

/* Pull parsers.  */
#define YYPULL 1

/* Substitute the type names.  */
#define YYSTYPE         POLICY_YYSTYPE
#define YYLTYPE         POLICY_YYLTYPE
/* Substitute the variable and function names.  */
#define yyparse         policy_yyparse
#define yylex           policy_yylex
#define yyerror         policy_yyerror
#define yydebug         policy_yydebug
#define yynerrs         policy_yynerrs


# ifndef YY_CAST
#  ifdef __cplusplus
#   define YY_CAST(Type, Val) static_cast<Type> (Val)
#   define YY_REINTERPRET_CAST(Type, Val) reinterpret_cast<Type> (Val)
#  else
#   define YY_CAST(Type, Val) ((Type) (Val))
#   define YY_REINTERPRET_CAST(Type, Val) ((Type) (Val))
#  endif
# endif
# ifndef YY_NULLPTR
#  if defined __cplusplus
#   if 201103L <= __cplusplus
#    define YY_NULLPTR nullptr
#   else
#    define YY_NULLPTR 0
#   endif
#  else
#   define YY_NULLPTR ((void*)0)
#  endif
# endif

/* Use api.header.include to #include this header
   instead of duplicating it here.  */
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

#line 123 "policies/grammar.c"

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

#line 246 "policies/grammar.c"

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

#line 273 "policies/grammar.c"

#endif /* !YY_POLICY_YY_POLICIES_GRAMMAR_H_INCLUDED  */
/* Symbol kind.  */
enum yysymbol_kind_t
{
  YYSYMBOL_YYEMPTY = -2,
  YYSYMBOL_YYEOF = 0,                      /* "the end of the file"  */
  YYSYMBOL_YYerror = 1,                    /* error  */
  YYSYMBOL_YYUNDEF = 2,                    /* "invalid token"  */
  YYSYMBOL_START_POLICY = 3,               /* START_POLICY  */
  YYSYMBOL_START_EXPECTATIONS = 4,         /* START_EXPECTATIONS  */
  YYSYMBOL_COMMA = 5,                      /* "a comma"  */
  YYSYMBOL_EQUALS = 6,                     /* "="  */
  YYSYMBOL_COLON = 7,                      /* ":"  */
  YYSYMBOL_OPEN = 8,                       /* "("  */
  YYSYMBOL_CLOSE = 9,                      /* ")"  */
  YYSYMBOL_END = 10,                       /* "the end of the sentence"  */
  YYSYMBOL_OUTGOING = 11,                  /* "outgoing"  */
  YYSYMBOL_INTERNAL = 12,                  /* "internal"  */
  YYSYMBOL_INCOMING = 13,                  /* "incoming"  */
  YYSYMBOL_RELAYED = 14,                   /* "relayed"  */
  YYSYMBOL_COPY = 15,                      /* "copy"  */
  YYSYMBOL_LIST = 16,                      /* "list"  */
  YYSYMBOL_DOMAINS = 17,                   /* "domains"  */
  YYSYMBOL_NOT = 18,                       /* "not"  */
  YYSYMBOL_TO = 19,                        /* "to"  */
  YYSYMBOL_FROM = 20,                      /* "from"  */
  YYSYMBOL_SUBJECT = 21,                   /* "subject"  */
  YYSYMBOL_HEADER = 22,                    /* "header"  */
  YYSYMBOL_HAS = 23,                       /* "has"  */
  YYSYMBOL_IS = 24,                        /* "is"  */
  YYSYMBOL_REQUIRE = 25,                   /* "require"  */
  YYSYMBOL_PREFER = 26,                    /* "prefer"  */
  YYSYMBOL_PLAIN = 27,                     /* "plain"  */
  YYSYMBOL_REJECT = 28,                    /* "reject"  */
  YYSYMBOL_SMIME = 29,                     /* "smime"  */
  YYSYMBOL_PGP = 30,                       /* "pgp"  */
  YYSYMBOL_PORTAL = 31,                    /* "portal"  */
  YYSYMBOL_TLS = 32,                       /* "tls"  */
  YYSYMBOL_VERIFIED = 33,                  /* "verified"  */
  YYSYMBOL_OVER = 34,                      /* "over"  */
  YYSYMBOL_SIGN = 35,                      /* "sign"  */
  YYSYMBOL_AS = 36,                        /* "as"  */
  YYSYMBOL_REMOVE = 37,                    /* "remove"  */
  YYSYMBOL_TAG = 38,                       /* "tag"  */
  YYSYMBOL_EXPECT = 39,                    /* "expect"  */
  YYSYMBOL_NO = 40,                        /* "no"  */
  YYSYMBOL_RULE = 41,                      /* "rule"  */
  YYSYMBOL_LINE = 42,                      /* "line"  */
  YYSYMBOL_LATER = 43,                     /* "a word of a later version"  */
  YYSYMBOL_STRING = 44,                    /* "a text in \"quotes\""  */
  YYSYMBOL_NAME = 45,                      /* "the name of a list"  */
  YYSYMBOL_NUMBER = 46,                    /* "a number"  */
  YYSYMBOL_YYACCEPT = 47,                  /* $accept  */
  YYSYMBOL_file = 48,                      /* file  */
  YYSYMBOL_sentences = 49,                 /* sentences  */
  YYSYMBOL_sentence = 50,                  /* sentence  */
  YYSYMBOL_direction = 51,                 /* direction  */
  YYSYMBOL_conditions = 52,                /* conditions  */
  YYSYMBOL_signed_condition = 53,          /* signed_condition  */
  YYSYMBOL_maybe_not = 54,                 /* maybe_not  */
  YYSYMBOL_condition = 55,                 /* condition  */
  YYSYMBOL_addresses = 56,                 /* addresses  */
  YYSYMBOL_address = 57,                   /* address  */
  YYSYMBOL_strings = 58,                   /* strings  */
  YYSYMBOL_outcome = 59,                   /* outcome  */
  YYSYMBOL_ladder = 60,                    /* ladder  */
  YYSYMBOL_rungs = 61,                     /* rungs  */
  YYSYMBOL_rung = 62,                      /* rung  */
  YYSYMBOL_transport = 63,                 /* transport  */
  YYSYMBOL_expectations = 64,              /* expectations  */
  YYSYMBOL_expectation = 65,               /* expectation  */
  YYSYMBOL_expect = 66,                    /* expect  */
  YYSYMBOL_facts = 67,                     /* facts  */
  YYSYMBOL_fact = 68,                      /* fact  */
  YYSYMBOL_expected = 69,                  /* expected  */
  YYSYMBOL_remarks = 70                    /* remarks  */
};
typedef enum yysymbol_kind_t yysymbol_kind_t;



/* Unqualified %code blocks.  */
#line 33 "../policies/grammar.y"

#include "policies/build.h"

static void yyerror(const Span *where, Parser *parser, const char *message);

#line 363 "policies/grammar.c"

#ifdef short
# undef short
#endif

/* On compilers that do not define __PTRDIFF_MAX__ etc., make sure
   <limits.h> and (if available) <stdint.h> are included
   so that the code can choose integer types of a good width.  */

#ifndef __PTRDIFF_MAX__
# include <limits.h> /* INFRINGES ON USER NAME SPACE */
# if defined __STDC_VERSION__ && 199901 <= __STDC_VERSION__
#  include <stdint.h> /* INFRINGES ON USER NAME SPACE */
#  define YY_STDINT_H
# endif
#endif

/* Narrow types that promote to a signed type and that can represent a
   signed or unsigned integer of at least N bits.  In tables they can
   save space and decrease cache pressure.  Promoting to a signed type
   helps avoid bugs in integer arithmetic.  */

#ifdef __INT_LEAST8_MAX__
typedef __INT_LEAST8_TYPE__ yytype_int8;
#elif defined YY_STDINT_H
typedef int_least8_t yytype_int8;
#else
typedef signed char yytype_int8;
#endif

#ifdef __INT_LEAST16_MAX__
typedef __INT_LEAST16_TYPE__ yytype_int16;
#elif defined YY_STDINT_H
typedef int_least16_t yytype_int16;
#else
typedef short yytype_int16;
#endif

/* Work around bug in HP-UX 11.23, which defines these macros
   incorrectly for preprocessor constants.  This workaround can likely
   be removed in 2023, as HPE has promised support for HP-UX 11.23
   (aka HP-UX 11i v2) only through the end of 2022; see Table 2 of
   <https://h20195.www2.hpe.com/V2/getpdf.aspx/4AA4-7673ENW.pdf>.  */
#ifdef __hpux
# undef UINT_LEAST8_MAX
# undef UINT_LEAST16_MAX
# define UINT_LEAST8_MAX 255
# define UINT_LEAST16_MAX 65535
#endif

#if defined __UINT_LEAST8_MAX__ && __UINT_LEAST8_MAX__ <= __INT_MAX__
typedef __UINT_LEAST8_TYPE__ yytype_uint8;
#elif (!defined __UINT_LEAST8_MAX__ && defined YY_STDINT_H \
       && UINT_LEAST8_MAX <= INT_MAX)
typedef uint_least8_t yytype_uint8;
#elif !defined __UINT_LEAST8_MAX__ && UCHAR_MAX <= INT_MAX
typedef unsigned char yytype_uint8;
#else
typedef short yytype_uint8;
#endif

#if defined __UINT_LEAST16_MAX__ && __UINT_LEAST16_MAX__ <= __INT_MAX__
typedef __UINT_LEAST16_TYPE__ yytype_uint16;
#elif (!defined __UINT_LEAST16_MAX__ && defined YY_STDINT_H \
       && UINT_LEAST16_MAX <= INT_MAX)
typedef uint_least16_t yytype_uint16;
#elif !defined __UINT_LEAST16_MAX__ && USHRT_MAX <= INT_MAX
typedef unsigned short yytype_uint16;
#else
typedef int yytype_uint16;
#endif

#ifndef YYPTRDIFF_T
# if defined __PTRDIFF_TYPE__ && defined __PTRDIFF_MAX__
#  define YYPTRDIFF_T __PTRDIFF_TYPE__
#  define YYPTRDIFF_MAXIMUM __PTRDIFF_MAX__
# elif defined PTRDIFF_MAX
#  ifndef ptrdiff_t
#   include <stddef.h> /* INFRINGES ON USER NAME SPACE */
#  endif
#  define YYPTRDIFF_T ptrdiff_t
#  define YYPTRDIFF_MAXIMUM PTRDIFF_MAX
# else
#  define YYPTRDIFF_T long
#  define YYPTRDIFF_MAXIMUM LONG_MAX
# endif
#endif

#ifndef YYSIZE_T
# ifdef __SIZE_TYPE__
#  define YYSIZE_T __SIZE_TYPE__
# elif defined size_t
#  define YYSIZE_T size_t
# elif defined __STDC_VERSION__ && 199901 <= __STDC_VERSION__
#  include <stddef.h> /* INFRINGES ON USER NAME SPACE */
#  define YYSIZE_T size_t
# else
#  define YYSIZE_T unsigned
# endif
#endif

#define YYSIZE_MAXIMUM                                  \
  YY_CAST (YYPTRDIFF_T,                                 \
           (YYPTRDIFF_MAXIMUM < YY_CAST (YYSIZE_T, -1)  \
            ? YYPTRDIFF_MAXIMUM                         \
            : YY_CAST (YYSIZE_T, -1)))

#define YYSIZEOF(X) YY_CAST (YYPTRDIFF_T, sizeof (X))


/* Stored state numbers (used for stacks). */
typedef yytype_int8 yy_state_t;

/* State numbers in computations.  */
typedef int yy_state_fast_t;

#ifndef YY_
# if defined YYENABLE_NLS && YYENABLE_NLS
#  if ENABLE_NLS
#   include <libintl.h> /* INFRINGES ON USER NAME SPACE */
#   define YY_(Msgid) dgettext ("bison-runtime", Msgid)
#  endif
# endif
# ifndef YY_
#  define YY_(Msgid) Msgid
# endif
#endif


#ifndef YY_ATTRIBUTE_PURE
# if defined __GNUC__ && 2 < __GNUC__ + (96 <= __GNUC_MINOR__)
#  define YY_ATTRIBUTE_PURE __attribute__ ((__pure__))
# else
#  define YY_ATTRIBUTE_PURE
# endif
#endif

#ifndef YY_ATTRIBUTE_UNUSED
# if defined __GNUC__ && 2 < __GNUC__ + (7 <= __GNUC_MINOR__)
#  define YY_ATTRIBUTE_UNUSED __attribute__ ((__unused__))
# else
#  define YY_ATTRIBUTE_UNUSED
# endif
#endif

/* Suppress unused-variable warnings by "using" E.  */
#if ! defined lint || defined __GNUC__
# define YY_USE(E) ((void) (E))
#else
# define YY_USE(E) /* empty */
#endif

/* Suppress an incorrect diagnostic about yylval being uninitialized.  */
#if defined __GNUC__ && ! defined __ICC && 406 <= __GNUC__ * 100 + __GNUC_MINOR__
# if __GNUC__ * 100 + __GNUC_MINOR__ < 407
#  define YY_IGNORE_MAYBE_UNINITIALIZED_BEGIN                           \
    _Pragma ("GCC diagnostic push")                                     \
    _Pragma ("GCC diagnostic ignored \"-Wuninitialized\"")
# else
#  define YY_IGNORE_MAYBE_UNINITIALIZED_BEGIN                           \
    _Pragma ("GCC diagnostic push")                                     \
    _Pragma ("GCC diagnostic ignored \"-Wuninitialized\"")              \
    _Pragma ("GCC diagnostic ignored \"-Wmaybe-uninitialized\"")
# endif
# define YY_IGNORE_MAYBE_UNINITIALIZED_END      \
    _Pragma ("GCC diagnostic pop")
#else
# define YY_INITIAL_VALUE(Value) Value
#endif
#ifndef YY_IGNORE_MAYBE_UNINITIALIZED_BEGIN
# define YY_IGNORE_MAYBE_UNINITIALIZED_BEGIN
# define YY_IGNORE_MAYBE_UNINITIALIZED_END
#endif
#ifndef YY_INITIAL_VALUE
# define YY_INITIAL_VALUE(Value) /* Nothing. */
#endif

#if defined __cplusplus && defined __GNUC__ && ! defined __ICC && 6 <= __GNUC__
# define YY_IGNORE_USELESS_CAST_BEGIN                          \
    _Pragma ("GCC diagnostic push")                            \
    _Pragma ("GCC diagnostic ignored \"-Wuseless-cast\"")
# define YY_IGNORE_USELESS_CAST_END            \
    _Pragma ("GCC diagnostic pop")
#endif
#ifndef YY_IGNORE_USELESS_CAST_BEGIN
# define YY_IGNORE_USELESS_CAST_BEGIN
# define YY_IGNORE_USELESS_CAST_END
#endif


#define YY_ASSERT(E) ((void) (0 && (E)))

#if 1

/* The parser invokes alloca or malloc; define the necessary symbols.  */

# ifdef YYSTACK_ALLOC
   /* Pacify GCC's 'empty if-body' warning.  */
#  define YYSTACK_FREE(Ptr) do { /* empty */; } while (0)
#  ifndef YYSTACK_ALLOC_MAXIMUM
    /* The OS might guarantee only one guard page at the bottom of the stack,
       and a page size can be as small as 4096 bytes.  So we cannot safely
       invoke alloca (N) if N exceeds 4096.  Use a slightly smaller number
       to allow for a few compiler-allocated temporary stack slots.  */
#   define YYSTACK_ALLOC_MAXIMUM 4032 /* reasonable circa 2006 */
#  endif
# else
#  define YYSTACK_ALLOC YYMALLOC
#  define YYSTACK_FREE YYFREE
#  ifndef YYSTACK_ALLOC_MAXIMUM
#   define YYSTACK_ALLOC_MAXIMUM YYSIZE_MAXIMUM
#  endif
#  if (defined __cplusplus && ! defined EXIT_SUCCESS \
       && ! ((defined YYMALLOC || defined malloc) \
             && (defined YYFREE || defined free)))
#   include <stdlib.h> /* INFRINGES ON USER NAME SPACE */
#   ifndef EXIT_SUCCESS
#    define EXIT_SUCCESS 0
#   endif
#  endif
#  ifndef YYMALLOC
#   define YYMALLOC malloc
#   if ! defined malloc && ! defined EXIT_SUCCESS
void *malloc (YYSIZE_T); /* INFRINGES ON USER NAME SPACE */
#   endif
#  endif
#  ifndef YYFREE
#   define YYFREE free
#   if ! defined free && ! defined EXIT_SUCCESS
void free (void *); /* INFRINGES ON USER NAME SPACE */
#   endif
#  endif
# endif
# define YYCOPY_NEEDED 1
#endif /* 1 */

#if (! defined yyoverflow \
     && (! defined __cplusplus \
         || (defined POLICY_YYLTYPE_IS_TRIVIAL && POLICY_YYLTYPE_IS_TRIVIAL \
             && defined POLICY_YYSTYPE_IS_TRIVIAL && POLICY_YYSTYPE_IS_TRIVIAL)))

/* A type that is properly aligned for any stack member.  */
union yyalloc
{
  yy_state_t yyss_alloc;
  YYSTYPE yyvs_alloc;
  YYLTYPE yyls_alloc;
};

/* The size of the maximum gap between one aligned stack and the next.  */
# define YYSTACK_GAP_MAXIMUM (YYSIZEOF (union yyalloc) - 1)

/* The size of an array large to enough to hold all stacks, each with
   N elements.  */
# define YYSTACK_BYTES(N) \
     ((N) * (YYSIZEOF (yy_state_t) + YYSIZEOF (YYSTYPE) \
             + YYSIZEOF (YYLTYPE)) \
      + 2 * YYSTACK_GAP_MAXIMUM)

# define YYCOPY_NEEDED 1

/* Relocate STACK from its old location to the new one.  The
   local variables YYSIZE and YYSTACKSIZE give the old and new number of
   elements in the stack, and YYPTR gives the new location of the
   stack.  Advance YYPTR to a properly aligned location for the next
   stack.  */
# define YYSTACK_RELOCATE(Stack_alloc, Stack)                           \
    do                                                                  \
      {                                                                 \
        YYPTRDIFF_T yynewbytes;                                         \
        YYCOPY (&yyptr->Stack_alloc, Stack, yysize);                    \
        Stack = &yyptr->Stack_alloc;                                    \
        yynewbytes = yystacksize * YYSIZEOF (*Stack) + YYSTACK_GAP_MAXIMUM; \
        yyptr += yynewbytes / YYSIZEOF (*yyptr);                        \
      }                                                                 \
    while (0)

#endif

#if defined YYCOPY_NEEDED && YYCOPY_NEEDED
/* Copy COUNT objects from SRC to DST.  The source and destination do
   not overlap.  */
# ifndef YYCOPY
#  if defined __GNUC__ && 1 < __GNUC__
#   define YYCOPY(Dst, Src, Count) \
      __builtin_memcpy (Dst, Src, YY_CAST (YYSIZE_T, (Count)) * sizeof (*(Src)))
#  else
#   define YYCOPY(Dst, Src, Count)              \
      do                                        \
        {                                       \
          YYPTRDIFF_T yyi;                      \
          for (yyi = 0; yyi < (Count); yyi++)   \
            (Dst)[yyi] = (Src)[yyi];            \
        }                                       \
      while (0)
#  endif
# endif
#endif /* !YYCOPY_NEEDED */

/* YYFINAL -- State number of the termination state.  */
#define YYFINAL  6
/* YYLAST -- Last index in YYTABLE.  */
#define YYLAST   109

/* YYNTOKENS -- Number of terminals.  */
#define YYNTOKENS  47
/* YYNNTS -- Number of nonterminals.  */
#define YYNNTS  24
/* YYNRULES -- Number of rules.  */
#define YYNRULES  68
/* YYNSTATES -- Number of states.  */
#define YYNSTATES  118

/* YYMAXUTOK -- Last valid token kind.  */
#define YYMAXUTOK   301


/* YYTRANSLATE(TOKEN-NUM) -- Symbol number corresponding to TOKEN-NUM
   as returned by yylex, with out-of-bounds checking.  */
#define YYTRANSLATE(YYX) YY_CAST (yysymbol_kind_t, YYX)

#if POLICY_YYDEBUG
/* YYRLINE[YYN] -- Source line where rule number YYN was defined.  */
static const yytype_uint8 yyrline[] =
{
       0,    83,    83,    84,    88,    89,    90,    94,    95,    96,
      97,    98,   102,   103,   104,   105,   109,   110,   114,   118,
     119,   123,   124,   125,   126,   127,   131,   132,   136,   137,
     141,   142,   146,   147,   148,   152,   153,   154,   155,   156,
     157,   161,   162,   166,   167,   168,   169,   170,   171,   175,
     176,   177,   181,   182,   183,   187,   191,   195,   196,   200,
     201,   202,   203,   204,   208,   209,   213,   214,   215
};
#endif

/** Accessing symbol of state STATE.  */
#define YY_ACCESSING_SYMBOL(State) YY_CAST (yysymbol_kind_t, yystos[State])

#if 1
/* The user-facing name of the symbol whose (internal) number is
   YYSYMBOL.  No bounds checking.  */
static const char *yysymbol_name (yysymbol_kind_t yysymbol) YY_ATTRIBUTE_UNUSED;

static const char *
yysymbol_name (yysymbol_kind_t yysymbol)
{
  static const char *const yy_sname[] =
  {
  "the end of the file", "error", "invalid token", "START_POLICY",
  "START_EXPECTATIONS", "a comma", "=", ":", "(", ")",
  "the end of the sentence", "outgoing", "internal", "incoming", "relayed",
  "copy", "list", "domains", "not", "to", "from", "subject", "header",
  "has", "is", "require", "prefer", "plain", "reject", "smime", "pgp",
  "portal", "tls", "verified", "over", "sign", "as", "remove", "tag",
  "expect", "no", "rule", "line", "a word of a later version",
  "a text in \"quotes\"", "the name of a list", "a number", "$accept",
  "file", "sentences", "sentence", "direction", "conditions",
  "signed_condition", "maybe_not", "condition", "addresses", "address",
  "strings", "outcome", "ladder", "rungs", "rung", "transport",
  "expectations", "expectation", "expect", "facts", "fact", "expected",
  "remarks", YY_NULLPTR
  };
  return yy_sname[yysymbol];
}
#endif

#define YYPACT_NINF (-54)

#define yypact_value_is_default(Yyn) \
  ((Yyn) == YYPACT_NINF)

#define YYTABLE_NINF (-12)

#define yytable_value_is_error(Yyn) \
  0

/* YYPACT[STATE-NUM] -- Index in YYTABLE of the portion describing
   STATE-NUM.  */
static const yytype_int8 yypact[] =
{
      52,   -54,   -54,    11,    13,     1,   -54,     6,   -54,     4,
     -54,   -54,    40,   -26,    28,   -54,    31,   -54,    50,   -54,
     -54,   -11,   -54,   -54,    12,   -54,    21,   -54,   -54,    23,
     -54,    65,     2,   -11,    35,   -54,    32,    32,   -54,    36,
     -54,    47,   -54,   -20,   -18,    37,    38,    39,    41,   -54,
     -54,    44,    65,   -54,   -54,    53,    53,    53,    53,    57,
      79,   -54,    79,   -54,    29,    29,    63,    46,   -54,    55,
      56,    51,   -54,   -54,   -54,   -54,   -54,    49,   -54,    43,
     -54,   -54,   -54,   -54,    53,    32,   -54,   -54,    90,   -54,
      90,   -11,    54,    76,   -54,   -54,    42,   -54,   -54,    66,
     -54,   -54,    29,    65,   -11,   -11,   -54,    58,    78,   -54,
     -54,    65,    65,    59,    60,    92,   -54,   -54
};

/* YYDEFACT[STATE-NUM] -- Default reduction number in state STATE-NUM.
   Performed when YYTABLE does not specify something else to do.  Zero
   means the default is an error.  */
static const yytype_int8 yydefact[] =
{
       0,     4,    52,     0,     0,     0,     1,     0,    12,    13,
      14,    15,     0,     0,     0,    16,     0,    56,     0,    57,
       6,     0,    13,    16,     0,     5,    19,    54,    53,     0,
      30,     7,    19,     0,     0,    20,     0,     0,    37,    33,
      17,     0,    10,    32,     0,     0,     0,     0,     0,    59,
      58,     0,     8,     9,    48,    49,    49,    49,    49,     0,
      35,    41,    36,    34,     0,     0,     0,     0,    18,    38,
       0,     0,    64,    66,    61,    60,    62,     0,    31,     0,
      43,    44,    45,    46,    49,     0,    28,    29,    21,    26,
      22,     0,     0,     0,    40,    65,    55,    63,    50,     0,
      47,    42,     0,    23,     0,     0,    39,     0,     0,    51,
      27,    24,    25,     0,     0,     0,    67,    68
};

/* YYPGOTO[NTERM-NUM].  */
static const yytype_int8 yypgoto[] =
{
     -54,   -54,   -54,   -54,    -6,    80,   -54,   -54,   -54,    34,
       0,   -33,    62,   -54,    70,    24,   -53,   -54,   -54,   -54,
     -54,   -54,   -54,   -54
};

/* YYDEFGOTO[NTERM-NUM].  */
static const yytype_int8 yydefgoto[] =
{
       0,     3,     4,    14,    15,    26,    40,    41,    68,    88,
      89,    31,    42,    43,    60,    61,    80,     5,    18,    19,
      29,    50,    73,    96
};

/* YYTABLE[YYPACT[STATE-NUM]] -- What to do in state STATE-NUM.  If
   positive, shift that token.  If negative, reduce the rule whose
   number is the opposite.  If YYTABLE_NINF, syntax error.  */
static const yytype_int8 yytable[] =
{
      52,    -3,    16,    81,    82,    83,    23,    36,    37,    38,
      39,     6,   -11,    -2,     7,    69,    20,    70,    33,    24,
      35,    21,    71,    49,     8,     9,    10,    11,    12,    13,
      44,   100,    34,    30,     8,    22,    10,    11,    25,    35,
      17,    27,    45,    46,    47,    48,    36,    37,    38,    39,
     107,     8,    22,    10,    11,     1,     2,   108,   103,    54,
      28,    55,    56,    57,    58,    59,    64,    65,    66,    67,
      51,   111,   112,    86,    87,    98,    99,   104,   105,    53,
      63,    74,    75,    76,    85,    77,    91,    79,    78,    84,
      92,    93,    95,    97,    94,   102,   106,   114,   109,    90,
     113,   117,   110,    32,   116,   115,    72,    62,     0,   101
};

static const yytype_int8 yycheck[] =
{
      33,     0,     1,    56,    57,    58,    12,    25,    26,    27,
      28,     0,    10,     0,     1,    35,    10,    37,     6,    45,
      18,    17,    40,    29,    11,    12,    13,    14,    15,    16,
       7,    84,    20,    44,    11,    12,    13,    14,    10,    18,
      39,    10,    19,    20,    21,    22,    25,    26,    27,    28,
       8,    11,    12,    13,    14,     3,     4,    15,    91,    27,
      10,    29,    30,    31,    32,    33,    19,    20,    21,    22,
       5,   104,   105,    44,    45,    32,    33,    23,    24,    44,
      44,    44,    44,    44,     5,    44,    23,    34,    44,    32,
      44,    36,    41,    44,    38,     5,    20,    19,    32,    65,
      42,     9,   102,    23,    44,    46,    44,    37,    -1,    85
};

/* YYSTOS[STATE-NUM] -- The symbol kind of the accessing symbol of
   state STATE-NUM.  */
static const yytype_int8 yystos[] =
{
       0,     3,     4,    48,    49,    64,     0,     1,    11,    12,
      13,    14,    15,    16,    50,    51,     1,    39,    65,    66,
      10,    17,    12,    51,    45,    10,    52,    10,    10,    67,
      44,    58,    52,     6,    20,    18,    25,    26,    27,    28,
      53,    54,    59,    60,     7,    19,    20,    21,    22,    51,
      68,     5,    58,    44,    27,    29,    30,    31,    32,    33,
      61,    62,    61,    44,    19,    20,    21,    22,    55,    35,
      37,    40,    59,    69,    44,    44,    44,    44,    44,    34,
      63,    63,    63,    63,    32,     5,    44,    45,    56,    57,
      56,    23,    44,    36,    38,    41,    70,    44,    32,    33,
      63,    62,     5,    58,    23,    24,    20,     8,    15,    32,
      57,    58,    58,    42,    19,    46,    44,     9
};

/* YYR1[RULE-NUM] -- Symbol kind of the left-hand side of rule RULE-NUM.  */
static const yytype_int8 yyr1[] =
{
       0,    47,    48,    48,    49,    49,    49,    50,    50,    50,
      50,    50,    51,    51,    51,    51,    52,    52,    53,    54,
      54,    55,    55,    55,    55,    55,    56,    56,    57,    57,
      58,    58,    59,    59,    59,    60,    60,    60,    60,    60,
      60,    61,    61,    62,    62,    62,    62,    62,    62,    63,
      63,    63,    64,    64,    64,    65,    66,    67,    67,    68,
      68,    68,    68,    68,    69,    69,    70,    70,    70
};

/* YYR2[RULE-NUM] -- Number of symbols on the right-hand side of rule RULE-NUM.  */
static const yytype_int8 yyr2[] =
{
       0,     2,     2,     2,     0,     3,     3,     3,     4,     4,
       3,     3,     1,     1,     1,     1,     0,     2,     2,     0,
       1,     2,     2,     3,     4,     4,     1,     3,     1,     1,
       1,     3,     1,     1,     2,     2,     2,     1,     2,     4,
       3,     1,     3,     2,     2,     2,     2,     3,     1,     0,
       2,     3,     0,     3,     3,     5,     1,     0,     2,     1,
       2,     2,     2,     3,     1,     2,     0,     4,     5
};


enum { YYENOMEM = -2 };

#define yyerrok         (yyerrstatus = 0)
#define yyclearin       (yychar = T_POLICY_YYEMPTY)

#define YYACCEPT        goto yyacceptlab
#define YYABORT         goto yyabortlab
#define YYERROR         goto yyerrorlab
#define YYNOMEM         goto yyexhaustedlab


#define YYRECOVERING()  (!!yyerrstatus)

#define YYBACKUP(Token, Value)                                    \
  do                                                              \
    if (yychar == T_POLICY_YYEMPTY)                                        \
      {                                                           \
        yychar = (Token);                                         \
        yylval = (Value);                                         \
        YYPOPSTACK (yylen);                                       \
        yystate = *yyssp;                                         \
        YY_LAC_DISCARD ("YYBACKUP");                              \
        goto yybackup;                                            \
      }                                                           \
    else                                                          \
      {                                                           \
        yyerror (&yylloc, parser, YY_("syntax error: cannot back up")); \
        YYERROR;                                                  \
      }                                                           \
  while (0)

/* Backward compatibility with an undocumented macro.
   Use T_POLICY_YYerror or T_POLICY_YYUNDEF. */
#define YYERRCODE T_POLICY_YYUNDEF

/* YYLLOC_DEFAULT -- Set CURRENT to span from RHS[1] to RHS[N].
   If N is 0, then set CURRENT to the empty location which ends
   the previous symbol: RHS[0] (always defined).  */

#ifndef YYLLOC_DEFAULT
# define YYLLOC_DEFAULT(Current, Rhs, N)                                \
    do                                                                  \
      if (N)                                                            \
        {                                                               \
          (Current).first_line   = YYRHSLOC (Rhs, 1).first_line;        \
          (Current).first_column = YYRHSLOC (Rhs, 1).first_column;      \
          (Current).last_line    = YYRHSLOC (Rhs, N).last_line;         \
          (Current).last_column  = YYRHSLOC (Rhs, N).last_column;       \
        }                                                               \
      else                                                              \
        {                                                               \
          (Current).first_line   = (Current).last_line   =              \
            YYRHSLOC (Rhs, 0).last_line;                                \
          (Current).first_column = (Current).last_column =              \
            YYRHSLOC (Rhs, 0).last_column;                              \
        }                                                               \
    while (0)
#endif

#define YYRHSLOC(Rhs, K) ((Rhs)[K])


/* Enable debugging if requested.  */
#if POLICY_YYDEBUG

# ifndef YYFPRINTF
#  include <stdio.h> /* INFRINGES ON USER NAME SPACE */
#  define YYFPRINTF fprintf
# endif

# define YYDPRINTF(Args)                        \
do {                                            \
  if (yydebug)                                  \
    YYFPRINTF Args;                             \
} while (0)


/* YYLOCATION_PRINT -- Print the location on the stream.
   This macro was not mandated originally: define only if we know
   we won't break user code: when these are the locations we know.  */

# ifndef YYLOCATION_PRINT

#  if defined YY_LOCATION_PRINT

   /* Temporary convenience wrapper in case some people defined the
      undocumented and private YY_LOCATION_PRINT macros.  */
#   define YYLOCATION_PRINT(File, Loc)  YY_LOCATION_PRINT(File, *(Loc))

#  elif defined POLICY_YYLTYPE_IS_TRIVIAL && POLICY_YYLTYPE_IS_TRIVIAL

/* Print *YYLOCP on YYO.  Private, do not rely on its existence. */

YY_ATTRIBUTE_UNUSED
static int
yy_location_print_ (FILE *yyo, YYLTYPE const * const yylocp)
{
  int res = 0;
  int end_col = 0 != yylocp->last_column ? yylocp->last_column - 1 : 0;
  if (0 <= yylocp->first_line)
    {
      res += YYFPRINTF (yyo, "%d", yylocp->first_line);
      if (0 <= yylocp->first_column)
        res += YYFPRINTF (yyo, ".%d", yylocp->first_column);
    }
  if (0 <= yylocp->last_line)
    {
      if (yylocp->first_line < yylocp->last_line)
        {
          res += YYFPRINTF (yyo, "-%d", yylocp->last_line);
          if (0 <= end_col)
            res += YYFPRINTF (yyo, ".%d", end_col);
        }
      else if (0 <= end_col && yylocp->first_column < end_col)
        res += YYFPRINTF (yyo, "-%d", end_col);
    }
  return res;
}

#   define YYLOCATION_PRINT  yy_location_print_

    /* Temporary convenience wrapper in case some people defined the
       undocumented and private YY_LOCATION_PRINT macros.  */
#   define YY_LOCATION_PRINT(File, Loc)  YYLOCATION_PRINT(File, &(Loc))

#  else

#   define YYLOCATION_PRINT(File, Loc) ((void) 0)
    /* Temporary convenience wrapper in case some people defined the
       undocumented and private YY_LOCATION_PRINT macros.  */
#   define YY_LOCATION_PRINT  YYLOCATION_PRINT

#  endif
# endif /* !defined YYLOCATION_PRINT */


# define YY_SYMBOL_PRINT(Title, Kind, Value, Location)                    \
do {                                                                      \
  if (yydebug)                                                            \
    {                                                                     \
      YYFPRINTF (stderr, "%s ", Title);                                   \
      yy_symbol_print (stderr,                                            \
                  Kind, Value, Location, parser); \
      YYFPRINTF (stderr, "\n");                                           \
    }                                                                     \
} while (0)


/*-----------------------------------.
| Print this symbol's value on YYO.  |
`-----------------------------------*/

static void
yy_symbol_value_print (FILE *yyo,
                       yysymbol_kind_t yykind, YYSTYPE const * const yyvaluep, YYLTYPE const * const yylocationp, Parser *parser)
{
  FILE *yyoutput = yyo;
  YY_USE (yyoutput);
  YY_USE (yylocationp);
  YY_USE (parser);
  if (!yyvaluep)
    return;
  YY_IGNORE_MAYBE_UNINITIALIZED_BEGIN
  YY_USE (yykind);
  YY_IGNORE_MAYBE_UNINITIALIZED_END
}


/*---------------------------.
| Print this symbol on YYO.  |
`---------------------------*/

static void
yy_symbol_print (FILE *yyo,
                 yysymbol_kind_t yykind, YYSTYPE const * const yyvaluep, YYLTYPE const * const yylocationp, Parser *parser)
{
  YYFPRINTF (yyo, "%s %s (",
             yykind < YYNTOKENS ? "token" : "nterm", yysymbol_name (yykind));

  YYLOCATION_PRINT (yyo, yylocationp);
  YYFPRINTF (yyo, ": ");
  yy_symbol_value_print (yyo, yykind, yyvaluep, yylocationp, parser);
  YYFPRINTF (yyo, ")");
}

/*------------------------------------------------------------------.
| yy_stack_print -- Print the state stack from its BOTTOM up to its |
| TOP (included).                                                   |
`------------------------------------------------------------------*/

static void
yy_stack_print (yy_state_t *yybottom, yy_state_t *yytop)
{
  YYFPRINTF (stderr, "Stack now");
  for (; yybottom <= yytop; yybottom++)
    {
      int yybot = *yybottom;
      YYFPRINTF (stderr, " %d", yybot);
    }
  YYFPRINTF (stderr, "\n");
}

# define YY_STACK_PRINT(Bottom, Top)                            \
do {                                                            \
  if (yydebug)                                                  \
    yy_stack_print ((Bottom), (Top));                           \
} while (0)


/*------------------------------------------------.
| Report that the YYRULE is going to be reduced.  |
`------------------------------------------------*/

static void
yy_reduce_print (yy_state_t *yyssp, YYSTYPE *yyvsp, YYLTYPE *yylsp,
                 int yyrule, Parser *parser)
{
  int yylno = yyrline[yyrule];
  int yynrhs = yyr2[yyrule];
  int yyi;
  YYFPRINTF (stderr, "Reducing stack by rule %d (line %d):\n",
             yyrule - 1, yylno);
  /* The symbols being reduced.  */
  for (yyi = 0; yyi < yynrhs; yyi++)
    {
      YYFPRINTF (stderr, "   $%d = ", yyi + 1);
      yy_symbol_print (stderr,
                       YY_ACCESSING_SYMBOL (+yyssp[yyi + 1 - yynrhs]),
                       &yyvsp[(yyi + 1) - (yynrhs)],
                       &(yylsp[(yyi + 1) - (yynrhs)]), parser);
      YYFPRINTF (stderr, "\n");
    }
}

# define YY_REDUCE_PRINT(Rule)          \
do {                                    \
  if (yydebug)                          \
    yy_reduce_print (yyssp, yyvsp, yylsp, Rule, parser); \
} while (0)

/* Nonzero means print parse trace.  It is left uninitialized so that
   multiple parsers can coexist.  */
int yydebug;
#else /* !POLICY_YYDEBUG */
# define YYDPRINTF(Args) ((void) 0)
# define YY_SYMBOL_PRINT(Title, Kind, Value, Location)
# define YY_STACK_PRINT(Bottom, Top)
# define YY_REDUCE_PRINT(Rule)
#endif /* !POLICY_YYDEBUG */


/* YYINITDEPTH -- initial size of the parser's stacks.  */
#ifndef YYINITDEPTH
# define YYINITDEPTH 200
#endif

/* YYMAXDEPTH -- maximum size the stacks can grow to (effective only
   if the built-in stack extension method is used).

   Do not make this value too large; the results are undefined if
   YYSTACK_ALLOC_MAXIMUM < YYSTACK_BYTES (YYMAXDEPTH)
   evaluated with infinite-precision integer arithmetic.  */

#ifndef YYMAXDEPTH
# define YYMAXDEPTH 10000
#endif


/* Given a state stack such that *YYBOTTOM is its bottom, such that
   *YYTOP is either its top or is YYTOP_EMPTY to indicate an empty
   stack, and such that *YYCAPACITY is the maximum number of elements it
   can hold without a reallocation, make sure there is enough room to
   store YYADD more elements.  If not, allocate a new stack using
   YYSTACK_ALLOC, copy the existing elements, and adjust *YYBOTTOM,
   *YYTOP, and *YYCAPACITY to reflect the new capacity and memory
   location.  If *YYBOTTOM != YYBOTTOM_NO_FREE, then free the old stack
   using YYSTACK_FREE.  Return 0 if successful or if no reallocation is
   required.  Return YYENOMEM if memory is exhausted.  */
static int
yy_lac_stack_realloc (YYPTRDIFF_T *yycapacity, YYPTRDIFF_T yyadd,
#if POLICY_YYDEBUG
                      char const *yydebug_prefix,
                      char const *yydebug_suffix,
#endif
                      yy_state_t **yybottom,
                      yy_state_t *yybottom_no_free,
                      yy_state_t **yytop, yy_state_t *yytop_empty)
{
  YYPTRDIFF_T yysize_old =
    *yytop == yytop_empty ? 0 : *yytop - *yybottom + 1;
  YYPTRDIFF_T yysize_new = yysize_old + yyadd;
  if (*yycapacity < yysize_new)
    {
      YYPTRDIFF_T yyalloc = 2 * yysize_new;
      yy_state_t *yybottom_new;
      /* Use YYMAXDEPTH for maximum stack size given that the stack
         should never need to grow larger than the main state stack
         needs to grow without LAC.  */
      if (YYMAXDEPTH < yysize_new)
        {
          YYDPRINTF ((stderr, "%smax size exceeded%s", yydebug_prefix,
                      yydebug_suffix));
          return YYENOMEM;
        }
      if (YYMAXDEPTH < yyalloc)
        yyalloc = YYMAXDEPTH;
      yybottom_new =
        YY_CAST (yy_state_t *,
                 YYSTACK_ALLOC (YY_CAST (YYSIZE_T,
                                         yyalloc * YYSIZEOF (*yybottom_new))));
      if (!yybottom_new)
        {
          YYDPRINTF ((stderr, "%srealloc failed%s", yydebug_prefix,
                      yydebug_suffix));
          return YYENOMEM;
        }
      if (*yytop != yytop_empty)
        {
          YYCOPY (yybottom_new, *yybottom, yysize_old);
          *yytop = yybottom_new + (yysize_old - 1);
        }
      if (*yybottom != yybottom_no_free)
        YYSTACK_FREE (*yybottom);
      *yybottom = yybottom_new;
      *yycapacity = yyalloc;
    }
  return 0;
}

/* Establish the initial context for the current lookahead if no initial
   context is currently established.

   We define a context as a snapshot of the parser stacks.  We define
   the initial context for a lookahead as the context in which the
   parser initially examines that lookahead in order to select a
   syntactic action.  Thus, if the lookahead eventually proves
   syntactically unacceptable (possibly in a later context reached via a
   series of reductions), the initial context can be used to determine
   the exact set of tokens that would be syntactically acceptable in the
   lookahead's place.  Moreover, it is the context after which any
   further semantic actions would be erroneous because they would be
   determined by a syntactically unacceptable token.

   YY_LAC_ESTABLISH should be invoked when a reduction is about to be
   performed in an inconsistent state (which, for the purposes of LAC,
   includes consistent states that don't know they're consistent because
   their default reductions have been disabled).  Iff there is a
   lookahead token, it should also be invoked before reporting a syntax
   error.  This latter case is for the sake of the debugging output.

   For parse.lac=full, the implementation of YY_LAC_ESTABLISH is as
   follows.  If no initial context is currently established for the
   current lookahead, then check if that lookahead can eventually be
   shifted if syntactic actions continue from the current context.
   Report a syntax error if it cannot.  */
#define YY_LAC_ESTABLISH                                                \
do {                                                                    \
  if (!yy_lac_established)                                              \
    {                                                                   \
      YYDPRINTF ((stderr,                                               \
                  "LAC: initial context established for %s\n",          \
                  yysymbol_name (yytoken)));                            \
      yy_lac_established = 1;                                           \
      switch (yy_lac (yyesa, &yyes, &yyes_capacity, yyssp, yytoken))    \
        {                                                               \
        case YYENOMEM:                                                  \
          YYNOMEM;                                                      \
        case 1:                                                         \
          goto yyerrlab;                                                \
        }                                                               \
    }                                                                   \
} while (0)

/* Discard any previous initial lookahead context because of Event,
   which may be a lookahead change or an invalidation of the currently
   established initial context for the current lookahead.

   The most common example of a lookahead change is a shift.  An example
   of both cases is syntax error recovery.  That is, a syntax error
   occurs when the lookahead is syntactically erroneous for the
   currently established initial context, so error recovery manipulates
   the parser stacks to try to find a new initial context in which the
   current lookahead is syntactically acceptable.  If it fails to find
   such a context, it discards the lookahead.  */
#if POLICY_YYDEBUG
# define YY_LAC_DISCARD(Event)                                           \
do {                                                                     \
  if (yy_lac_established)                                                \
    {                                                                    \
      YYDPRINTF ((stderr, "LAC: initial context discarded due to "       \
                  Event "\n"));                                          \
      yy_lac_established = 0;                                            \
    }                                                                    \
} while (0)
#else
# define YY_LAC_DISCARD(Event) yy_lac_established = 0
#endif

/* Given the stack whose top is *YYSSP, return 0 iff YYTOKEN can
   eventually (after perhaps some reductions) be shifted, return 1 if
   not, or return YYENOMEM if memory is exhausted.  As preconditions and
   postconditions: *YYES_CAPACITY is the allocated size of the array to
   which *YYES points, and either *YYES = YYESA or *YYES points to an
   array allocated with YYSTACK_ALLOC.  yy_lac may overwrite the
   contents of either array, alter *YYES and *YYES_CAPACITY, and free
   any old *YYES other than YYESA.  */
static int
yy_lac (yy_state_t *yyesa, yy_state_t **yyes,
        YYPTRDIFF_T *yyes_capacity, yy_state_t *yyssp, yysymbol_kind_t yytoken)
{
  yy_state_t *yyes_prev = yyssp;
  yy_state_t *yyesp = yyes_prev;
  /* Reduce until we encounter a shift and thereby accept the token.  */
  YYDPRINTF ((stderr, "LAC: checking lookahead %s:", yysymbol_name (yytoken)));
  if (yytoken == YYSYMBOL_YYUNDEF)
    {
      YYDPRINTF ((stderr, " Always Err\n"));
      return 1;
    }
  while (1)
    {
      int yyrule = yypact[+*yyesp];
      if (yypact_value_is_default (yyrule)
          || (yyrule += yytoken) < 0 || YYLAST < yyrule
          || yycheck[yyrule] != yytoken)
        {
          /* Use the default action.  */
          yyrule = yydefact[+*yyesp];
          if (yyrule == 0)
            {
              YYDPRINTF ((stderr, " Err\n"));
              return 1;
            }
        }
      else
        {
          /* Use the action from yytable.  */
          yyrule = yytable[yyrule];
          if (yytable_value_is_error (yyrule))
            {
              YYDPRINTF ((stderr, " Err\n"));
              return 1;
            }
          if (0 < yyrule)
            {
              YYDPRINTF ((stderr, " S%d\n", yyrule));
              return 0;
            }
          yyrule = -yyrule;
        }
      /* By now we know we have to simulate a reduce.  */
      YYDPRINTF ((stderr, " R%d", yyrule - 1));
      {
        /* Pop the corresponding number of values from the stack.  */
        YYPTRDIFF_T yylen = yyr2[yyrule];
        /* First pop from the LAC stack as many tokens as possible.  */
        if (yyesp != yyes_prev)
          {
            YYPTRDIFF_T yysize = yyesp - *yyes + 1;
            if (yylen < yysize)
              {
                yyesp -= yylen;
                yylen = 0;
              }
            else
              {
                yyesp = yyes_prev;
                yylen -= yysize;
              }
          }
        /* Only afterwards look at the main stack.  */
        if (yylen)
          yyesp = yyes_prev -= yylen;
      }
      /* Push the resulting state of the reduction.  */
      {
        yy_state_fast_t yystate;
        {
          const int yylhs = yyr1[yyrule] - YYNTOKENS;
          const int yyi = yypgoto[yylhs] + *yyesp;
          yystate = (0 <= yyi && yyi <= YYLAST && yycheck[yyi] == *yyesp
                     ? yytable[yyi]
                     : yydefgoto[yylhs]);
        }
        if (yyesp == yyes_prev)
          {
            yyesp = *yyes;
            YY_IGNORE_USELESS_CAST_BEGIN
            *yyesp = YY_CAST (yy_state_t, yystate);
            YY_IGNORE_USELESS_CAST_END
          }
        else
          {
            if (yy_lac_stack_realloc (yyes_capacity, 1,
#if POLICY_YYDEBUG
                                      " (", ")",
#endif
                                      yyes, yyesa, &yyesp, yyes_prev))
              {
                YYDPRINTF ((stderr, "\n"));
                return YYENOMEM;
              }
            YY_IGNORE_USELESS_CAST_BEGIN
            *++yyesp = YY_CAST (yy_state_t, yystate);
            YY_IGNORE_USELESS_CAST_END
          }
        YYDPRINTF ((stderr, " G%d", yystate));
      }
    }
}

/* Context of a parse error.  */
typedef struct
{
  yy_state_t *yyssp;
  yy_state_t *yyesa;
  yy_state_t **yyes;
  YYPTRDIFF_T *yyes_capacity;
  yysymbol_kind_t yytoken;
  YYLTYPE *yylloc;
} yypcontext_t;

/* Put in YYARG at most YYARGN of the expected tokens given the
   current YYCTX, and return the number of tokens stored in YYARG.  If
   YYARG is null, return the number of expected tokens (guaranteed to
   be less than YYNTOKENS).  Return YYENOMEM on memory exhaustion.
   Return 0 if there are more than YYARGN expected tokens, yet fill
   YYARG up to YYARGN. */
static int
yypcontext_expected_tokens (const yypcontext_t *yyctx,
                            yysymbol_kind_t yyarg[], int yyargn)
{
  /* Actual size of YYARG. */
  int yycount = 0;

  int yyx;
  for (yyx = 0; yyx < YYNTOKENS; ++yyx)
    {
      yysymbol_kind_t yysym = YY_CAST (yysymbol_kind_t, yyx);
      if (yysym != YYSYMBOL_YYerror && yysym != YYSYMBOL_YYUNDEF)
        switch (yy_lac (yyctx->yyesa, yyctx->yyes, yyctx->yyes_capacity, yyctx->yyssp, yysym))
          {
          case YYENOMEM:
            return YYENOMEM;
          case 1:
            continue;
          default:
            if (!yyarg)
              ++yycount;
            else if (yycount == yyargn)
              return 0;
            else
              yyarg[yycount++] = yysym;
          }
    }
  if (yyarg && yycount == 0 && 0 < yyargn)
    yyarg[0] = YYSYMBOL_YYEMPTY;
  return yycount;
}




/* The kind of the lookahead of this context.  */
static yysymbol_kind_t
yypcontext_token (const yypcontext_t *yyctx) YY_ATTRIBUTE_UNUSED;

static yysymbol_kind_t
yypcontext_token (const yypcontext_t *yyctx)
{
  return yyctx->yytoken;
}

/* The location of the lookahead of this context.  */
static YYLTYPE *
yypcontext_location (const yypcontext_t *yyctx) YY_ATTRIBUTE_UNUSED;

static YYLTYPE *
yypcontext_location (const yypcontext_t *yyctx)
{
  return yyctx->yylloc;
}

/* User defined function to report a syntax error.  */
static int
yyreport_syntax_error (const yypcontext_t *yyctx, Parser *parser);

/*-----------------------------------------------.
| Release the memory associated to this symbol.  |
`-----------------------------------------------*/

static void
yydestruct (const char *yymsg,
            yysymbol_kind_t yykind, YYSTYPE *yyvaluep, YYLTYPE *yylocationp, Parser *parser)
{
  YY_USE (yyvaluep);
  YY_USE (yylocationp);
  YY_USE (parser);
  if (!yymsg)
    yymsg = "Deleting";
  YY_SYMBOL_PRINT (yymsg, yykind, yyvaluep, yylocationp);

  YY_IGNORE_MAYBE_UNINITIALIZED_BEGIN
  switch (yykind)
    {
    case YYSYMBOL_STRING: /* "a text in \"quotes\""  */
#line 75 "../policies/grammar.y"
            { word_free(((*yyvaluep).word)); }
#line 1477 "policies/grammar.c"
        break;

    case YYSYMBOL_NAME: /* "the name of a list"  */
#line 75 "../policies/grammar.y"
            { word_free(((*yyvaluep).word)); }
#line 1483 "policies/grammar.c"
        break;

    case YYSYMBOL_NUMBER: /* "a number"  */
#line 75 "../policies/grammar.y"
            { word_free(((*yyvaluep).word)); }
#line 1489 "policies/grammar.c"
        break;

    case YYSYMBOL_conditions: /* conditions  */
#line 76 "../policies/grammar.y"
            { g_ptr_array_unref(((*yyvaluep).array)); }
#line 1495 "policies/grammar.c"
        break;

    case YYSYMBOL_signed_condition: /* signed_condition  */
#line 77 "../policies/grammar.y"
            { condition_free(((*yyvaluep).condition)); }
#line 1501 "policies/grammar.c"
        break;

    case YYSYMBOL_condition: /* condition  */
#line 77 "../policies/grammar.y"
            { condition_free(((*yyvaluep).condition)); }
#line 1507 "policies/grammar.c"
        break;

    case YYSYMBOL_addresses: /* addresses  */
#line 76 "../policies/grammar.y"
            { g_ptr_array_unref(((*yyvaluep).array)); }
#line 1513 "policies/grammar.c"
        break;

    case YYSYMBOL_address: /* address  */
#line 75 "../policies/grammar.y"
            { word_free(((*yyvaluep).word)); }
#line 1519 "policies/grammar.c"
        break;

    case YYSYMBOL_strings: /* strings  */
#line 76 "../policies/grammar.y"
            { g_ptr_array_unref(((*yyvaluep).array)); }
#line 1525 "policies/grammar.c"
        break;

    case YYSYMBOL_outcome: /* outcome  */
#line 78 "../policies/grammar.y"
            { outcome_free(((*yyvaluep).outcome)); }
#line 1531 "policies/grammar.c"
        break;

    case YYSYMBOL_ladder: /* ladder  */
#line 78 "../policies/grammar.y"
            { outcome_free(((*yyvaluep).outcome)); }
#line 1537 "policies/grammar.c"
        break;

    case YYSYMBOL_rungs: /* rungs  */
#line 78 "../policies/grammar.y"
            { outcome_free(((*yyvaluep).outcome)); }
#line 1543 "policies/grammar.c"
        break;

      default:
        break;
    }
  YY_IGNORE_MAYBE_UNINITIALIZED_END
}






/*----------.
| yyparse.  |
`----------*/

int
yyparse (Parser *parser)
{
/* Lookahead token kind.  */
int yychar;


/* The semantic value of the lookahead symbol.  */
/* Default value used for initialization, for pacifying older GCCs
   or non-GCC compilers.  */
YY_INITIAL_VALUE (static YYSTYPE yyval_default;)
YYSTYPE yylval YY_INITIAL_VALUE (= yyval_default);

/* Location data for the lookahead symbol.  */
static YYLTYPE yyloc_default
# if defined POLICY_YYLTYPE_IS_TRIVIAL && POLICY_YYLTYPE_IS_TRIVIAL
  = { 1, 1, 1, 1 }
# endif
;
YYLTYPE yylloc = yyloc_default;

    /* Number of syntax errors so far.  */
    int yynerrs = 0;

    yy_state_fast_t yystate = 0;
    /* Number of tokens to shift before error messages enabled.  */
    int yyerrstatus = 0;

    /* Refer to the stacks through separate pointers, to allow yyoverflow
       to reallocate them elsewhere.  */

    /* Their size.  */
    YYPTRDIFF_T yystacksize = YYINITDEPTH;

    /* The state stack: array, bottom, top.  */
    yy_state_t yyssa[YYINITDEPTH];
    yy_state_t *yyss = yyssa;
    yy_state_t *yyssp = yyss;

    /* The semantic value stack: array, bottom, top.  */
    YYSTYPE yyvsa[YYINITDEPTH];
    YYSTYPE *yyvs = yyvsa;
    YYSTYPE *yyvsp = yyvs;

    /* The location stack: array, bottom, top.  */
    YYLTYPE yylsa[YYINITDEPTH];
    YYLTYPE *yyls = yylsa;
    YYLTYPE *yylsp = yyls;

    yy_state_t yyesa[20];
    yy_state_t *yyes = yyesa;
    YYPTRDIFF_T yyes_capacity = 20 < YYMAXDEPTH ? 20 : YYMAXDEPTH;

  /* Whether LAC context is established.  A Boolean.  */
  int yy_lac_established = 0;
  int yyn;
  /* The return value of yyparse.  */
  int yyresult;
  /* Lookahead symbol kind.  */
  yysymbol_kind_t yytoken = YYSYMBOL_YYEMPTY;
  /* The variables used to return semantic value and location from the
     action routines.  */
  YYSTYPE yyval;
  YYLTYPE yyloc;

  /* The locations where the error started and ended.  */
  YYLTYPE yyerror_range[3];



#define YYPOPSTACK(N)   (yyvsp -= (N), yyssp -= (N), yylsp -= (N))

  /* The number of symbols on the RHS of the reduced rule.
     Keep to zero when no symbol should be popped.  */
  int yylen = 0;

  YYDPRINTF ((stderr, "Starting parse\n"));

  yychar = T_POLICY_YYEMPTY; /* Cause a token to be read.  */

  yylsp[0] = yylloc;
  goto yysetstate;


/*------------------------------------------------------------.
| yynewstate -- push a new state, which is found in yystate.  |
`------------------------------------------------------------*/
yynewstate:
  /* In all cases, when you get here, the value and location stacks
     have just been pushed.  So pushing a state here evens the stacks.  */
  yyssp++;


/*--------------------------------------------------------------------.
| yysetstate -- set current state (the top of the stack) to yystate.  |
`--------------------------------------------------------------------*/
yysetstate:
  YYDPRINTF ((stderr, "Entering state %d\n", yystate));
  YY_ASSERT (0 <= yystate && yystate < YYNSTATES);
  YY_IGNORE_USELESS_CAST_BEGIN
  *yyssp = YY_CAST (yy_state_t, yystate);
  YY_IGNORE_USELESS_CAST_END
  YY_STACK_PRINT (yyss, yyssp);

  if (yyss + yystacksize - 1 <= yyssp)
#if !defined yyoverflow && !defined YYSTACK_RELOCATE
    YYNOMEM;
#else
    {
      /* Get the current used size of the three stacks, in elements.  */
      YYPTRDIFF_T yysize = yyssp - yyss + 1;

# if defined yyoverflow
      {
        /* Give user a chance to reallocate the stack.  Use copies of
           these so that the &'s don't force the real ones into
           memory.  */
        yy_state_t *yyss1 = yyss;
        YYSTYPE *yyvs1 = yyvs;
        YYLTYPE *yyls1 = yyls;

        /* Each stack pointer address is followed by the size of the
           data in use in that stack, in bytes.  This used to be a
           conditional around just the two extra args, but that might
           be undefined if yyoverflow is a macro.  */
        yyoverflow (YY_("memory exhausted"),
                    &yyss1, yysize * YYSIZEOF (*yyssp),
                    &yyvs1, yysize * YYSIZEOF (*yyvsp),
                    &yyls1, yysize * YYSIZEOF (*yylsp),
                    &yystacksize);
        yyss = yyss1;
        yyvs = yyvs1;
        yyls = yyls1;
      }
# else /* defined YYSTACK_RELOCATE */
      /* Extend the stack our own way.  */
      if (YYMAXDEPTH <= yystacksize)
        YYNOMEM;
      yystacksize *= 2;
      if (YYMAXDEPTH < yystacksize)
        yystacksize = YYMAXDEPTH;

      {
        yy_state_t *yyss1 = yyss;
        union yyalloc *yyptr =
          YY_CAST (union yyalloc *,
                   YYSTACK_ALLOC (YY_CAST (YYSIZE_T, YYSTACK_BYTES (yystacksize))));
        if (! yyptr)
          YYNOMEM;
        YYSTACK_RELOCATE (yyss_alloc, yyss);
        YYSTACK_RELOCATE (yyvs_alloc, yyvs);
        YYSTACK_RELOCATE (yyls_alloc, yyls);
#  undef YYSTACK_RELOCATE
        if (yyss1 != yyssa)
          YYSTACK_FREE (yyss1);
      }
# endif

      yyssp = yyss + yysize - 1;
      yyvsp = yyvs + yysize - 1;
      yylsp = yyls + yysize - 1;

      YY_IGNORE_USELESS_CAST_BEGIN
      YYDPRINTF ((stderr, "Stack size increased to %ld\n",
                  YY_CAST (long, yystacksize)));
      YY_IGNORE_USELESS_CAST_END

      if (yyss + yystacksize - 1 <= yyssp)
        YYABORT;
    }
#endif /* !defined yyoverflow && !defined YYSTACK_RELOCATE */


  if (yystate == YYFINAL)
    YYACCEPT;

  goto yybackup;


/*-----------.
| yybackup.  |
`-----------*/
yybackup:
  /* Do appropriate processing given the current state.  Read a
     lookahead token if we need one and don't already have one.  */

  /* First try to decide what to do without reference to lookahead token.  */
  yyn = yypact[yystate];
  if (yypact_value_is_default (yyn))
    goto yydefault;

  /* Not known => get a lookahead token if don't already have one.  */

  /* YYCHAR is either empty, or end-of-input, or a valid lookahead.  */
  if (yychar == T_POLICY_YYEMPTY)
    {
      YYDPRINTF ((stderr, "Reading a token\n"));
      yychar = yylex (&yylval, &yylloc, parser);
    }

  if (yychar <= T_END_OF_FILE)
    {
      yychar = T_END_OF_FILE;
      yytoken = YYSYMBOL_YYEOF;
      YYDPRINTF ((stderr, "Now at end of input.\n"));
    }
  else if (yychar == T_POLICY_YYerror)
    {
      /* The scanner already issued an error message, process directly
         to error recovery.  But do not keep the error token as
         lookahead, it is too special and may lead us to an endless
         loop in error recovery. */
      yychar = T_POLICY_YYUNDEF;
      yytoken = YYSYMBOL_YYerror;
      yyerror_range[1] = yylloc;
      goto yyerrlab1;
    }
  else
    {
      yytoken = YYTRANSLATE (yychar);
      YY_SYMBOL_PRINT ("Next token is", yytoken, &yylval, &yylloc);
    }

  /* If the proper action on seeing token YYTOKEN is to reduce or to
     detect an error, take that action.  */
  yyn += yytoken;
  if (yyn < 0 || YYLAST < yyn || yycheck[yyn] != yytoken)
    {
      YY_LAC_ESTABLISH;
      goto yydefault;
    }
  yyn = yytable[yyn];
  if (yyn <= 0)
    {
      if (yytable_value_is_error (yyn))
        goto yyerrlab;
      yyn = -yyn;
      YY_LAC_ESTABLISH;
      goto yyreduce;
    }

  /* Count tokens shifted since error; after three, turn off error
     status.  */
  if (yyerrstatus)
    yyerrstatus--;

  /* Shift the lookahead token.  */
  YY_SYMBOL_PRINT ("Shifting", yytoken, &yylval, &yylloc);
  yystate = yyn;
  YY_IGNORE_MAYBE_UNINITIALIZED_BEGIN
  *++yyvsp = yylval;
  YY_IGNORE_MAYBE_UNINITIALIZED_END
  *++yylsp = yylloc;

  /* Discard the shifted token.  */
  yychar = T_POLICY_YYEMPTY;
  YY_LAC_DISCARD ("shift");
  goto yynewstate;


/*-----------------------------------------------------------.
| yydefault -- do the default action for the current state.  |
`-----------------------------------------------------------*/
yydefault:
  yyn = yydefact[yystate];
  if (yyn == 0)
    goto yyerrlab;
  goto yyreduce;


/*-----------------------------.
| yyreduce -- do a reduction.  |
`-----------------------------*/
yyreduce:
  /* yyn is the number of a rule to reduce with.  */
  yylen = yyr2[yyn];

  /* If YYLEN is nonzero, implement the default value of the action:
     '$$ = $1'.

     Otherwise, the following line sets YYVAL to garbage.
     This behavior is undocumented and Bison
     users should not rely upon it.  Assigning to YYVAL
     unconditionally makes the parser a bit smaller, and it avoids a
     GCC warning that YYVAL may be used uninitialized.  */
  yyval = yyvsp[1-yylen];

  /* Default location. */
  YYLLOC_DEFAULT (yyloc, (yylsp - yylen), yylen);
  yyerror_range[1] = yyloc;
  YY_REDUCE_PRINT (yyn);
  {
    int yychar_backup = yychar;
    switch (yyn)
      {
  case 5: /* sentences: sentences sentence "the end of the sentence"  */
#line 89 "../policies/grammar.y"
                                        { build_commit(parser); parser_recover(parser); }
#line 1859 "policies/grammar.c"
    break;

  case 6: /* sentences: sentences error "the end of the sentence"  */
#line 90 "../policies/grammar.y"
                                        { parser_recover(parser); yyerrok; }
#line 1865 "policies/grammar.c"
    break;

  case 7: /* sentence: "internal" "domains" strings  */
#line 94 "../policies/grammar.y"
                                        { build_internal(parser, (yyvsp[0].array)); }
#line 1871 "policies/grammar.c"
    break;

  case 8: /* sentence: "list" "the name of a list" "=" strings  */
#line 95 "../policies/grammar.y"
                                                { build_list(parser, (yyvsp[-2].word), (yyvsp[0].array)); }
#line 1877 "policies/grammar.c"
    break;

  case 9: /* sentence: "list" "the name of a list" "from" "a text in \"quotes\""  */
#line 96 "../policies/grammar.y"
                                        { build_list_from(parser, (yyvsp[-2].word), (yyvsp[0].word)); }
#line 1883 "policies/grammar.c"
    break;

  case 10: /* sentence: direction conditions outcome  */
#line 97 "../policies/grammar.y"
                                        { build_rule(parser, (yyvsp[-2].direction), (yyvsp[-1].array), (yyvsp[0].outcome)); }
#line 1889 "policies/grammar.c"
    break;

  case 11: /* sentence: "copy" direction conditions  */
#line 98 "../policies/grammar.y"
                                        { build_copy(parser, (yyvsp[-1].direction), (yyvsp[0].array)); }
#line 1895 "policies/grammar.c"
    break;

  case 12: /* direction: "outgoing"  */
#line 102 "../policies/grammar.y"
                                        { (yyval.direction) = DIRECTION_OUTGOING; }
#line 1901 "policies/grammar.c"
    break;

  case 13: /* direction: "internal"  */
#line 103 "../policies/grammar.y"
                                        { (yyval.direction) = DIRECTION_INTERNAL; }
#line 1907 "policies/grammar.c"
    break;

  case 14: /* direction: "incoming"  */
#line 104 "../policies/grammar.y"
                                        { (yyval.direction) = DIRECTION_INCOMING; }
#line 1913 "policies/grammar.c"
    break;

  case 15: /* direction: "relayed"  */
#line 105 "../policies/grammar.y"
                                        { (yyval.direction) = DIRECTION_OTHER; }
#line 1919 "policies/grammar.c"
    break;

  case 16: /* conditions: %empty  */
#line 109 "../policies/grammar.y"
                                        { (yyval.array) = build_conditions(); }
#line 1925 "policies/grammar.c"
    break;

  case 17: /* conditions: conditions signed_condition  */
#line 110 "../policies/grammar.y"
                                        { (yyval.array) = build_and(parser, (yyvsp[-1].array), (yyvsp[0].condition)); }
#line 1931 "policies/grammar.c"
    break;

  case 18: /* signed_condition: maybe_not condition  */
#line 114 "../policies/grammar.y"
                                        { (yyval.condition) = (yyvsp[0].condition); (yyval.condition)->negated = (yyvsp[-1].flag); }
#line 1937 "policies/grammar.c"
    break;

  case 19: /* maybe_not: %empty  */
#line 118 "../policies/grammar.y"
                                        { (yyval.flag) = FALSE; }
#line 1943 "policies/grammar.c"
    break;

  case 20: /* maybe_not: "not"  */
#line 119 "../policies/grammar.y"
                                        { (yyval.flag) = TRUE; }
#line 1949 "policies/grammar.c"
    break;

  case 21: /* condition: "to" addresses  */
#line 123 "../policies/grammar.y"
                                        { (yyval.condition) = build_address(parser, CONDITION_TO, &(yylsp[-1]), (yyvsp[0].array)); }
#line 1955 "policies/grammar.c"
    break;

  case 22: /* condition: "from" addresses  */
#line 124 "../policies/grammar.y"
                                        { (yyval.condition) = build_address(parser, CONDITION_FROM, &(yylsp[-1]), (yyvsp[0].array)); }
#line 1961 "policies/grammar.c"
    break;

  case 23: /* condition: "subject" "has" strings  */
#line 125 "../policies/grammar.y"
                                        { (yyval.condition) = build_subject(parser, &(yylsp[-2]), (yyvsp[0].array)); }
#line 1967 "policies/grammar.c"
    break;

  case 24: /* condition: "header" "a text in \"quotes\"" "has" strings  */
#line 126 "../policies/grammar.y"
                                        { (yyval.condition) = build_header(parser, CONDITION_HEADER_HAS, (yyvsp[-2].word), (yyvsp[0].array)); }
#line 1973 "policies/grammar.c"
    break;

  case 25: /* condition: "header" "a text in \"quotes\"" "is" strings  */
#line 127 "../policies/grammar.y"
                                        { (yyval.condition) = build_header(parser, CONDITION_HEADER_IS, (yyvsp[-2].word), (yyvsp[0].array)); }
#line 1979 "policies/grammar.c"
    break;

  case 26: /* addresses: address  */
#line 131 "../policies/grammar.y"
                                        { (yyval.array) = words_new(); g_ptr_array_add((yyval.array), (yyvsp[0].word)); }
#line 1985 "policies/grammar.c"
    break;

  case 27: /* addresses: addresses "a comma" address  */
#line 132 "../policies/grammar.y"
                                        { (yyval.array) = (yyvsp[-2].array); g_ptr_array_add((yyval.array), (yyvsp[0].word)); }
#line 1991 "policies/grammar.c"
    break;

  case 30: /* strings: "a text in \"quotes\""  */
#line 141 "../policies/grammar.y"
                                        { (yyval.array) = words_new(); g_ptr_array_add((yyval.array), (yyvsp[0].word)); }
#line 1997 "policies/grammar.c"
    break;

  case 31: /* strings: strings "a comma" "a text in \"quotes\""  */
#line 142 "../policies/grammar.y"
                                        { (yyval.array) = (yyvsp[-2].array); g_ptr_array_add((yyval.array), (yyvsp[0].word)); }
#line 2003 "policies/grammar.c"
    break;

  case 33: /* outcome: "reject"  */
#line 147 "../policies/grammar.y"
                                        { (yyval.outcome) = outcome_new(VERDICT_REJECT); }
#line 2009 "policies/grammar.c"
    break;

  case 34: /* outcome: "reject" "a text in \"quotes\""  */
#line 148 "../policies/grammar.y"
                                        { (yyval.outcome) = build_reject(parser, (yyvsp[0].word)); }
#line 2015 "policies/grammar.c"
    break;

  case 35: /* ladder: "require" rungs  */
#line 152 "../policies/grammar.y"
                                        { (yyval.outcome) = (yyvsp[0].outcome); (yyval.outcome)->verdict = VERDICT_REQUIRE; }
#line 2021 "policies/grammar.c"
    break;

  case 36: /* ladder: "prefer" rungs  */
#line 153 "../policies/grammar.y"
                                        { (yyval.outcome) = (yyvsp[0].outcome); (yyval.outcome)->verdict = VERDICT_PREFER; }
#line 2027 "policies/grammar.c"
    break;

  case 37: /* ladder: "plain"  */
#line 154 "../policies/grammar.y"
                                        { (yyval.outcome) = outcome_new(VERDICT_PLAIN); }
#line 2033 "policies/grammar.c"
    break;

  case 38: /* ladder: ladder "sign"  */
#line 155 "../policies/grammar.y"
                                        { (yyval.outcome) = (yyvsp[-1].outcome); (yyval.outcome)->sign = TRUE; }
#line 2039 "policies/grammar.c"
    break;

  case 39: /* ladder: ladder "sign" "as" "from"  */
#line 156 "../policies/grammar.y"
                                        { (yyval.outcome) = (yyvsp[-3].outcome); (yyval.outcome)->sign_as_from = TRUE; }
#line 2045 "policies/grammar.c"
    break;

  case 40: /* ladder: ladder "remove" "tag"  */
#line 157 "../policies/grammar.y"
                                        { (yyval.outcome) = (yyvsp[-2].outcome); (yyval.outcome)->remove_tag = TRUE; }
#line 2051 "policies/grammar.c"
    break;

  case 41: /* rungs: rung  */
#line 161 "../policies/grammar.y"
                                        { (yyval.outcome) = build_rung(parser, NULL, (yyvsp[0].rung), &(yylsp[0])); }
#line 2057 "policies/grammar.c"
    break;

  case 42: /* rungs: rungs "a comma" rung  */
#line 162 "../policies/grammar.y"
                                                { (yyval.outcome) = build_rung(parser, (yyvsp[-2].outcome), (yyvsp[0].rung), &(yylsp[0])); }
#line 2063 "policies/grammar.c"
    break;

  case 43: /* rung: "smime" transport  */
#line 166 "../policies/grammar.y"
                                        { (yyval.rung) = (Rung){WAY_SMIME, (yyvsp[0].transport)}; }
#line 2069 "policies/grammar.c"
    break;

  case 44: /* rung: "pgp" transport  */
#line 167 "../policies/grammar.y"
                                        { (yyval.rung) = (Rung){WAY_PGP, (yyvsp[0].transport)}; }
#line 2075 "policies/grammar.c"
    break;

  case 45: /* rung: "portal" transport  */
#line 168 "../policies/grammar.y"
                                        { (yyval.rung) = (Rung){WAY_PORTAL, (yyvsp[0].transport)}; }
#line 2081 "policies/grammar.c"
    break;

  case 46: /* rung: "tls" transport  */
#line 169 "../policies/grammar.y"
                                        { (yyval.rung) = build_tls(parser, WAY_TLS, (yyvsp[0].transport), &(yyloc)); }
#line 2087 "policies/grammar.c"
    break;

  case 47: /* rung: "verified" "tls" transport  */
#line 170 "../policies/grammar.y"
                                        { (yyval.rung) = build_tls(parser, WAY_VERIFIED_TLS, (yyvsp[0].transport), &(yyloc)); }
#line 2093 "policies/grammar.c"
    break;

  case 48: /* rung: "plain"  */
#line 171 "../policies/grammar.y"
                                        { (yyval.rung) = (Rung){WAY_PLAIN, TRANSPORT_ANY}; }
#line 2099 "policies/grammar.c"
    break;

  case 49: /* transport: %empty  */
#line 175 "../policies/grammar.y"
                                        { (yyval.transport) = TRANSPORT_ANY; }
#line 2105 "policies/grammar.c"
    break;

  case 50: /* transport: "over" "tls"  */
#line 176 "../policies/grammar.y"
                                        { (yyval.transport) = TRANSPORT_TLS; }
#line 2111 "policies/grammar.c"
    break;

  case 51: /* transport: "over" "verified" "tls"  */
#line 177 "../policies/grammar.y"
                                        { (yyval.transport) = TRANSPORT_VERIFIED_TLS; }
#line 2117 "policies/grammar.c"
    break;

  case 53: /* expectations: expectations expectation "the end of the sentence"  */
#line 182 "../policies/grammar.y"
                                        { build_expected(parser); parser_recover(parser); }
#line 2123 "policies/grammar.c"
    break;

  case 54: /* expectations: expectations error "the end of the sentence"  */
#line 183 "../policies/grammar.y"
                                        { build_expected(parser); parser_recover(parser); yyerrok; }
#line 2129 "policies/grammar.c"
    break;

  case 56: /* expect: "expect"  */
#line 191 "../policies/grammar.y"
                                        { build_expect(parser, &(yylsp[0])); }
#line 2135 "policies/grammar.c"
    break;

  case 59: /* fact: direction  */
#line 200 "../policies/grammar.y"
                                        { build_fact_direction(parser, (yyvsp[0].direction)); }
#line 2141 "policies/grammar.c"
    break;

  case 60: /* fact: "from" "a text in \"quotes\""  */
#line 201 "../policies/grammar.y"
                                        { build_fact_sender(parser, (yyvsp[0].word)); }
#line 2147 "policies/grammar.c"
    break;

  case 61: /* fact: "to" "a text in \"quotes\""  */
#line 202 "../policies/grammar.y"
                                        { build_fact_recipient(parser, (yyvsp[0].word)); }
#line 2153 "policies/grammar.c"
    break;

  case 62: /* fact: "subject" "a text in \"quotes\""  */
#line 203 "../policies/grammar.y"
                                        { build_fact_subject(parser, (yyvsp[0].word)); }
#line 2159 "policies/grammar.c"
    break;

  case 63: /* fact: "header" "a text in \"quotes\"" "a text in \"quotes\""  */
#line 204 "../policies/grammar.y"
                                        { build_fact_header(parser, (yyvsp[-1].word), (yyvsp[0].word)); }
#line 2165 "policies/grammar.c"
    break;

  case 64: /* expected: outcome  */
#line 208 "../policies/grammar.y"
                                        { build_expect_outcome(parser, (yyvsp[0].outcome)); }
#line 2171 "policies/grammar.c"
    break;

  case 65: /* expected: "no" "rule"  */
#line 209 "../policies/grammar.y"
                                        { build_expect_outcome(parser, NULL); }
#line 2177 "policies/grammar.c"
    break;

  case 67: /* remarks: remarks "copy" "to" "a text in \"quotes\""  */
#line 214 "../policies/grammar.y"
                                        { build_expect_copy(parser, (yyvsp[0].word)); }
#line 2183 "policies/grammar.c"
    break;

  case 68: /* remarks: remarks "(" "line" "a number" ")"  */
#line 215 "../policies/grammar.y"
                                        { build_expect_line(parser, (yyvsp[-1].word)); }
#line 2189 "policies/grammar.c"
    break;


#line 2193 "policies/grammar.c"

        default: break;
      }
    if (yychar_backup != yychar)
      YY_LAC_DISCARD ("yychar change");
  }
  /* User semantic actions sometimes alter yychar, and that requires
     that yytoken be updated with the new translation.  We take the
     approach of translating immediately before every use of yytoken.
     One alternative is translating here after every semantic action,
     but that translation would be missed if the semantic action invokes
     YYABORT, YYACCEPT, or YYERROR immediately after altering yychar or
     if it invokes YYBACKUP.  In the case of YYABORT or YYACCEPT, an
     incorrect destructor might then be invoked immediately.  In the
     case of YYERROR or YYBACKUP, subsequent parser actions might lead
     to an incorrect destructor call or verbose syntax error message
     before the lookahead is translated.  */
  YY_SYMBOL_PRINT ("-> $$ =", YY_CAST (yysymbol_kind_t, yyr1[yyn]), &yyval, &yyloc);

  YYPOPSTACK (yylen);
  yylen = 0;

  *++yyvsp = yyval;
  *++yylsp = yyloc;

  /* Now 'shift' the result of the reduction.  Determine what state
     that goes to, based on the state we popped back to and the rule
     number reduced by.  */
  {
    const int yylhs = yyr1[yyn] - YYNTOKENS;
    const int yyi = yypgoto[yylhs] + *yyssp;
    yystate = (0 <= yyi && yyi <= YYLAST && yycheck[yyi] == *yyssp
               ? yytable[yyi]
               : yydefgoto[yylhs]);
  }

  goto yynewstate;


/*--------------------------------------.
| yyerrlab -- here on detecting error.  |
`--------------------------------------*/
yyerrlab:
  /* Make sure we have latest lookahead translation.  See comments at
     user semantic actions for why this is necessary.  */
  yytoken = yychar == T_POLICY_YYEMPTY ? YYSYMBOL_YYEMPTY : YYTRANSLATE (yychar);
  /* If not already recovering from an error, report this error.  */
  if (!yyerrstatus)
    {
      ++yynerrs;
      {
        yypcontext_t yyctx
          = {yyssp, yyesa, &yyes, &yyes_capacity, yytoken, &yylloc};
        if (yychar != T_POLICY_YYEMPTY)
          YY_LAC_ESTABLISH;
        if (yyreport_syntax_error (&yyctx, parser) == 2)
          YYNOMEM;
      }
    }

  yyerror_range[1] = yylloc;
  if (yyerrstatus == 3)
    {
      /* If just tried and failed to reuse lookahead token after an
         error, discard it.  */

      if (yychar <= T_END_OF_FILE)
        {
          /* Return failure if at end of input.  */
          if (yychar == T_END_OF_FILE)
            YYABORT;
        }
      else
        {
          yydestruct ("Error: discarding",
                      yytoken, &yylval, &yylloc, parser);
          yychar = T_POLICY_YYEMPTY;
        }
    }

  /* Else will try to reuse lookahead token after shifting the error
     token.  */
  goto yyerrlab1;


/*---------------------------------------------------.
| yyerrorlab -- error raised explicitly by YYERROR.  |
`---------------------------------------------------*/
yyerrorlab:
  /* Pacify compilers when the user code never invokes YYERROR and the
     label yyerrorlab therefore never appears in user code.  */
  if (0)
    YYERROR;
  ++yynerrs;

  /* Do not reclaim the symbols of the rule whose action triggered
     this YYERROR.  */
  YYPOPSTACK (yylen);
  yylen = 0;
  YY_STACK_PRINT (yyss, yyssp);
  yystate = *yyssp;
  goto yyerrlab1;


/*-------------------------------------------------------------.
| yyerrlab1 -- common code for both syntax error and YYERROR.  |
`-------------------------------------------------------------*/
yyerrlab1:
  yyerrstatus = 3;      /* Each real token shifted decrements this.  */

  /* Pop stack until we find a state that shifts the error token.  */
  for (;;)
    {
      yyn = yypact[yystate];
      if (!yypact_value_is_default (yyn))
        {
          yyn += YYSYMBOL_YYerror;
          if (0 <= yyn && yyn <= YYLAST && yycheck[yyn] == YYSYMBOL_YYerror)
            {
              yyn = yytable[yyn];
              if (0 < yyn)
                break;
            }
        }

      /* Pop the current state because it cannot handle the error token.  */
      if (yyssp == yyss)
        YYABORT;

      yyerror_range[1] = *yylsp;
      yydestruct ("Error: popping",
                  YY_ACCESSING_SYMBOL (yystate), yyvsp, yylsp, parser);
      YYPOPSTACK (1);
      yystate = *yyssp;
      YY_STACK_PRINT (yyss, yyssp);
    }

  /* If the stack popping above didn't lose the initial context for the
     current lookahead token, the shift below will for sure.  */
  YY_LAC_DISCARD ("error recovery");

  YY_IGNORE_MAYBE_UNINITIALIZED_BEGIN
  *++yyvsp = yylval;
  YY_IGNORE_MAYBE_UNINITIALIZED_END

  yyerror_range[2] = yylloc;
  ++yylsp;
  YYLLOC_DEFAULT (*yylsp, yyerror_range, 2);

  /* Shift the error token.  */
  YY_SYMBOL_PRINT ("Shifting", YY_ACCESSING_SYMBOL (yyn), yyvsp, yylsp);

  yystate = yyn;
  goto yynewstate;


/*-------------------------------------.
| yyacceptlab -- YYACCEPT comes here.  |
`-------------------------------------*/
yyacceptlab:
  yyresult = 0;
  goto yyreturnlab;


/*-----------------------------------.
| yyabortlab -- YYABORT comes here.  |
`-----------------------------------*/
yyabortlab:
  yyresult = 1;
  goto yyreturnlab;


/*-----------------------------------------------------------.
| yyexhaustedlab -- YYNOMEM (memory exhaustion) comes here.  |
`-----------------------------------------------------------*/
yyexhaustedlab:
  yyerror (&yylloc, parser, YY_("memory exhausted"));
  yyresult = 2;
  goto yyreturnlab;


/*----------------------------------------------------------.
| yyreturnlab -- parsing is finished, clean up and return.  |
`----------------------------------------------------------*/
yyreturnlab:
  if (yychar != T_POLICY_YYEMPTY)
    {
      /* Make sure we have latest lookahead translation.  See comments at
         user semantic actions for why this is necessary.  */
      yytoken = YYTRANSLATE (yychar);
      yydestruct ("Cleanup: discarding lookahead",
                  yytoken, &yylval, &yylloc, parser);
    }
  /* Do not reclaim the symbols of the rule whose action triggered
     this YYABORT or YYACCEPT.  */
  YYPOPSTACK (yylen);
  YY_STACK_PRINT (yyss, yyssp);
  while (yyssp != yyss)
    {
      yydestruct ("Cleanup: popping",
                  YY_ACCESSING_SYMBOL (+*yyssp), yyvsp, yylsp, parser);
      YYPOPSTACK (1);
    }
#ifndef yyoverflow
  if (yyss != yyssa)
    YYSTACK_FREE (yyss);
#endif
  if (yyes != yyesa)
    YYSTACK_FREE (yyes);

  return yyresult;
}

#line 218 "../policies/grammar.y"


const char *grammar_name(int symbol)
{
	return yysymbol_name((yysymbol_kind_t)symbol);
}

#define EXPECTED_MAX 40

static int yyreport_syntax_error(const yypcontext_t *context, Parser *parser)
{
	yysymbol_kind_t symbols[EXPECTED_MAX];
	int expected[EXPECTED_MAX];
	int count = yypcontext_expected_tokens(context, symbols, EXPECTED_MAX);

	for (int i = 0; i < count; i++)
		expected[i] = symbols[i];
	parser_report(parser, yypcontext_location(context), expected, count);
	return 0;
}

/* Only called when the parser's own stack is exhausted, which no policy within limits does. */
static void yyerror(const Span *where, Parser *parser, const char *message)
{
	parser_refuse(parser, where, "%s", message);
}
