// firebase-admin for Node, as a project uses it: send (HTTP/1.1), sendEach and sendEachForMulticast (HTTP/2, the
// default), and both once more over HTTP/1.1. Reads tokens from standard input, writes what became of each.
'use strict';
const fs = require('node:fs');
const admin = require('firebase-admin');
const { HttpsProxyAgent } = require('https-proxy-agent');

const became = (error) => (error ? error.code : 'sent');

async function send(messaging, token) {
  try {
    const name = await messaging.send({ token, data: { key: 'value' }, notification: { title: 't' }, android: { ttl: 1000 } });
    return name.startsWith('projects/emulated/messages/') ? 'sent' : name;
  } catch (error) {
    return became(error);
  }
}

async function main() {
  const asked = JSON.parse(fs.readFileSync(0, 'utf8'));
  const httpAgent = new HttpsProxyAgent(process.env.HTTPS_PROXY);
  admin.initializeApp({ credential: admin.credential.cert(process.argv[2], httpAgent), httpAgent });
  const messaging = admin.messaging();
  const each = async () => (await messaging.sendEach(asked.sendEach.map((token) => ({ token })))).responses;
  const many = async () => (await messaging.sendEachForMulticast({ tokens: asked.multicast })).responses;
  const said = { send: await Promise.all(asked.send.map((token) => send(messaging, token))) };
  said.sendEach = (await each()).map((one) => became(one.error));
  said.multicast = (await many()).map((one) => became(one.error));
  messaging.enableLegacyHttpTransport();
  said.sendEachHttp1 = (await each()).map((one) => became(one.error));
  process.stdout.write(JSON.stringify(said));
}

main();
