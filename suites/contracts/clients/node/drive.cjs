// Sends messages with firebase-admin for Node: send (HTTP/1.1), sendEach and sendEachForMulticast (HTTP/2, the
// default), and sendEach again over HTTP/1.1. Reads tokens from standard input and writes the result of each.
'use strict';
const fs = require('node:fs');
const admin = require('firebase-admin');
const { HttpsProxyAgent } = require('https-proxy-agent');

const nameResult = (error) => (error ? error.code : 'sent');

async function send(messaging, token) {
  try {
    const name = await messaging.send({ token, data: { key: 'value' }, notification: { title: 't' }, android: { ttl: 1000 } });
    return name.startsWith('projects/emulated/messages/') ? 'sent' : name;
  } catch (error) {
    return nameResult(error);
  }
}

async function main() {
  const tokens = JSON.parse(fs.readFileSync(0, 'utf8'));
  const httpAgent = new HttpsProxyAgent(process.env.HTTPS_PROXY);
  admin.initializeApp({ credential: admin.credential.cert(process.argv[2], httpAgent), httpAgent });
  const messaging = admin.messaging();
  const sendEach = async () => (await messaging.sendEach(tokens.sendEach.map((token) => ({ token })))).responses;
  const multicast = async () => (await messaging.sendEachForMulticast({ tokens: tokens.multicast })).responses;
  const results = { send: await Promise.all(tokens.send.map((token) => send(messaging, token))) };
  results.sendEach = (await sendEach()).map((response) => nameResult(response.error));
  results.multicast = (await multicast()).map((response) => nameResult(response.error));
  messaging.enableLegacyHttpTransport();
  results.sendEachHttp1 = (await sendEach()).map((response) => nameResult(response.error));
  process.stdout.write(JSON.stringify(results));
}

main();
