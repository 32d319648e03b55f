// SPDX-License-Identifier: GPL-2.0-or-later
// usage: nodemailer.js host seconds
//
// By default, the limit for the greeting (30 s) is a twentieth of the limit for
// a read (600 s).

const nodemailer = require('nodemailer');

const [host, seconds] = process.argv.slice(2);
nodemailer.createTransport({
	host,
	port: 25,
	socketTimeout: seconds * 1000,
	greetingTimeout: seconds * 1000 / 20,
}).sendMail({
	from: 'alice@sender.example',
	to: 'bob@recipient.example',
	text: 'test',
}).catch((error) => {
	console.error(error.message);
	process.exitCode = 1;
});
