// Leads connections that Node opens to fcm.googleapis.com:443 to the emulator's TLS port, as an entry in /etc/hosts
// would, but without root. Node has no proxy for HTTP/2. `node --require` loads this file; the client stays unmodified
// and still checks that the certificate is for Google's name.
'use strict';
const tls = require('node:tls');

const NAME = 'fcm.googleapis.com';
const emulator = new URL(process.env.FCM_EMULATOR_HTTPS);
const connect = tls.connect;

tls.connect = function (port, host, options, ...rest) {
  if (host !== NAME) return connect.call(this, port, host, options, ...rest);
  return connect.call(this, Number(emulator.port), emulator.hostname, { ...options, servername: NAME }, ...rest);
};
