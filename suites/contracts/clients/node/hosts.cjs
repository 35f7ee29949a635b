// What an entry in /etc/hosts and a port of one's own would do, without root: connections that Node opens to
// fcm.googleapis.com:443 go to the emulator's TLS port. HTTP/2 in Node knows no proxy. Loaded with `node --require`;
// the client is untouched, and still checks the certificate for Google's name.
'use strict';
const tls = require('node:tls');

const NAME = 'fcm.googleapis.com';
const there = new URL(process.env.FCM_EMULATOR_HTTPS);
const connect = tls.connect;

tls.connect = function (port, host, options, ...rest) {
  if (host !== NAME) return connect.call(this, port, host, options, ...rest);
  return connect.call(this, Number(there.port), there.hostname, { ...options, servername: NAME }, ...rest);
};
