// SPDX-License-Identifier: Apache-2.0
// The portal in a real browser, for 85_portal.py: node 85_portal.mjs MODULES JOB.json
// JOB has what to open, type and expect; the result is one line a step, "ok NAME" or
// "failed NAME: why", and the files that were downloaded.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [modules, file] = process.argv.slice(2);
const { chromium } = createRequire(modules + '/')('playwright-core');
const job = JSON.parse(readFileSync(file, 'utf8'));

function expect(condition, what) {
	if (!condition)
		throw new Error(what);
}

async function step(name, run) {
	try {
		await run();
		console.log(`ok ${name}`);
	} catch (error) {
		console.log(`failed ${name}: ${String(error.message).replaceAll('\n', ' | ')}`);
	}
}

// Scripts are switched off for the whole browser unless a step says else: no page needs one.
async function visitor(browser, options) {
	const context = await browser.newContext({ ignoreHTTPSErrors: true, javaScriptEnabled: false,
		locale: 'de-DE', acceptDownloads: true, ...options });
	const page = await context.newPage();
	page.setDefaultTimeout(60000);
	return page;
}

// A click that leads to another page, until that is there.
async function press(page, selector) {
	await Promise.all([page.waitForEvent('load'), page.click(selector)]);
}

async function logIn(page, address, password) {
	await page.goto(job.portal + '/login');
	await page.fill('#address', address);
	await page.fill('#password', password);
	await press(page, 'main button');
}

async function fits(page) {
	for (const width of [320, 390, 800, 1280]) {
		await page.setViewportSize({ width, height: 800 });
		const wide = await page.evaluate(() => document.documentElement.scrollWidth);
		expect(wide <= width, `${page.url()} is ${wide} wide on a screen of ${width}`);
	}
}

async function download(page, selector, path) {
	const [saved] = await Promise.all([page.waitForEvent('download'), page.click(selector)]);
	await saved.saveAs(path);
	return saved.suggestedFilename();
}

// Follows every link, fills in every field with what may be right, and presses every button.
async function scan(page) {
	const value = { password: 'Scanner-Passwort-4711', email: job.address, text: '123456' };
	const seen = new Set();
	const pages = [job.link, job.portal + '/'];
	while (pages.length > 0) {
		const address = pages.pop();
		seen.add(address);
		await page.goto(address);
		for (const link of await page.$$eval('a[href]', all => all.map(one => one.href)))
			if (link.startsWith(job.portal) && !seen.has(link) && !pages.includes(link))
				pages.push(link);
		const buttons = (await page.$$('button')).length;
		for (let i = 0; i < buttons; i++) {
			await page.goto(address);
			for (const field of await page.$$('input:not([type=hidden]):not([readonly])'))
				await field.fill(value[await field.getAttribute('type')] ?? value.text);
			await Promise.all([page.waitForEvent('load'), (await page.$$('button'))[i].click()]);
			const text = await page.textContent('body');
			for (const secret of [job.subject, job.text, job.sender])
				expect(!text.includes(secret), `${page.url()} says ${secret}`);
		}
	}
	return seen.size;
}

async function firstVisit(browser, page) {
	await step('a scanner with scripts that submits every form gets nothing, and claims nothing', async () => {
		const scanner = await visitor(browser, { javaScriptEnabled: true });
		expect(await scan(scanner) >= 3, 'it saw too little');
		await scanner.context().close();
	});

	await step('the link shows a form and nothing of the message', async () => {
		await page.goto(job.link);
		expect(await page.getAttribute('html', 'lang') === 'de', 'not in German');
		expect(await page.inputValue('#address') === job.address, 'another address');
		const text = await page.textContent('body');
		for (const secret of [job.subject, job.text, job.sender])
			expect(!text.includes(secret), `the page says ${secret}`);
		await fits(page);
	});

	await step('two different passwords are pointed out', async () => {
		await page.fill('#code', job.code);
		await page.fill('#password', job.password);
		await page.fill('#repeated', job.password + 'x');
		await press(page, 'main button');
		expect(await page.isVisible('[role=alert]'), 'no alert');
		expect(await page.evaluate(() => document.activeElement.className) === 'alert',
			'a screen reader does not begin with what is wrong');
		expect(await page.inputValue('#code') === job.code, 'the code has to be typed again');
		await fits(page);
	});

	await step('a password opens the message', async () => {
		await page.fill('#password', job.password);
		await page.fill('#repeated', job.password);
		await press(page, 'main button');
		await page.waitForURL(/\/message\//);
		expect(await page.textContent('h1') === job.subject, 'another subject');
		expect((await page.textContent('.facts')).includes(job.sender), 'another sender');
		await fits(page);
	});

	await step('HTML is shown in its frame; pictures of the message are in it', async () => {
		const frame = page.frames().find(one => one.url().includes('/html/'));
		expect(frame, 'no frame');
		expect((await frame.textContent('body')).includes(job.text), 'another text');
		expect(await frame.getAttribute('img', 'src') === job.picture, 'the picture is missing');
	});

	await step('a link opens a window of its own, without a Referer; the message stays', async () => {
		const asked = [];
		const server = createServer((request, answer) => {
			asked.push(`${request.url} ${request.headers.referer}`);
			answer.end('outside');
		}).listen(job.outside, '127.0.0.1');
		const frame = page.frames().find(one => one.url().includes('/html/'));
		const [window] = await Promise.all([page.context().waitForEvent('page'),
			frame.click('#out')]);
		await window.waitForURL(/127.0.0.1.*page/);
		expect((await window.textContent('body')) === 'outside', 'another page');
		expect(asked[0] === '/page undefined', `asked for ${asked[0]}`);
		expect((await frame.textContent('body')).includes(job.text), 'the message is gone');
		await window.close();
		server.closeAllConnections();
		server.close();
	});

	await step('the attachment is downloaded under its name', async () => {
		const name = await download(page, '.attachments a', job.download);
		expect(name === job.file, `called ${name}`);
		await download(page, '.whole a', job.whole);
	});

	await step('logged out, the message is shut', async () => {
		const message = page.url();
		const other = await page.context().newPage();
		await other.goto(message);
		await press(page, 'nav button');
		await press(other, '.attachments a');
		expect(new URL(other.url()).pathname === '/login', 'a file, or what, instead of the log-in');
		await other.close();
		await page.goto(message);
		expect(new URL(page.url()).pathname === '/login', 'no log-in');
		await page.goBack();
		await page.goBack();
		expect(!(await page.textContent('body')).includes(job.text), 'still in the cache');
		await fits(page);
	});

	await step('a wrong password does not log in', async () => {
		await logIn(page, job.address, job.password + 'x');
		expect(await page.isVisible('[role=alert]'), 'no alert');
	});

	await step('logged in again, the list leads to the message', async () => {
		await logIn(page, job.address, job.password);
		await fits(page);
		await press(page, `.messages a:has-text("${job.subject}")`);
		expect(await page.textContent('h1') === job.subject, 'another subject');
	});

	await step('with scripts on, none of the message runs; in English', async () => {
		const other = await visitor(browser, { javaScriptEnabled: true, locale: 'en-GB',
			colorScheme: 'dark' });
		const messages = [];
		other.on('dialog', dialog => { messages.push(dialog.message()); dialog.dismiss(); });
		await other.goto(job.link);
		expect(await other.getAttribute('html', 'lang') === 'en', 'not in English');
		await other.fill('#password', job.password);
		await press(other, 'main button');
		await other.waitForURL(/\/message\//);
		const frame = other.frames().find(one => one.url().includes('/html/'));
		await frame.click('#code');
		await other.waitForTimeout(500);
		expect(!(await frame.innerText('body')).includes('HACKED'), 'the script ran');
		expect(messages.length === 0, `it said ${messages}`);
	});
}

async function secondNotice(page) {
	await step('the second notice\'s link opens its message after the log-in', async () => {
		await logIn(page, job.address, job.password);
		await page.goto(job.again);
		expect(await page.textContent('h1') === job.subject, 'not opened at once');
		expect((await page.textContent('.text')).includes(job.text), 'another text');
	});
}

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', timeout: 180000,
	args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
		'--disable-background-networking', '--disable-component-update'] });
const page = await visitor(browser);
if (job.again)
	await secondNotice(page);
else
	await firstVisit(browser, page);
await browser.close();
