// Sends messages and manages topics with firebase-admin for Node: send (HTTP/1.1), sendEach and sendEachForMulticast
// (HTTP/2, the default), sendEach again over HTTP/1.1, and both ways to subscribe. Reads the inputs of each call from
// standard input and writes the result of each.
'use strict';
const fs = require('node:fs');
const { cert, initializeApp } = require('firebase-admin/app');
const { getMessaging } = require('firebase-admin/messaging');
const { HttpsProxyAgent } = require('https-proxy-agent');

// A message for an input such as `fid case/v1-UNREGISTERED/device`.
const MESSAGES = {
  fid: (value) => ({ fid: value }),
  topic: (value) => ({ topic: value }),
  condition: (value) => ({ condition: value }),
  activity: (value) => ({ fid: 'device', apns: { liveActivityToken: value, payload: { aps: {} } } }),
  bytes: (value) => ({ topic: 'news', data: { p: 'x'.repeat(Number(value)) } }),
  'web-push-ttl': (value) => ({ topic: 'news', webpush: { headers: { TTL: value } } }),
};

const nameResult = (error) => (error ? error.code : 'sent');
const namesSent = (batch) => batch.responses.map((response) => nameResult(response.error));
const byToken = (token) => ({ token, data: { key: 'value' }, notification: { title: 't' }, android: { ttl: 1000 } });

async function send(messaging, message) {
  try {
    const name = await messaging.send(message);
    return name.startsWith('projects/emulated/messages/') ? 'sent' : name;
  } catch (error) {
    return nameResult(error);
  }
}

async function main() {
  const inputs = JSON.parse(fs.readFileSync(0, 'utf8'));
  const httpAgent = new HttpsProxyAgent(process.env.HTTPS_PROXY);
  initializeApp({ credential: cert(process.argv[2], httpAgent), httpAgent });
  const messaging = getMessaging();
  const sendEach = async (tokens) => namesSent(await messaging.sendEach(tokens.map((token) => ({ token }))));
  const broken = async (tokens) => {
    const results = [];
    for (const token of tokens) results.push(...(await sendEach([token])));
    return results;
  };
  const topics = async (method, tokens) => {
    const { errors } = await messaging[method](tokens, 'news');
    return tokens.map((_, index) => errors.find((row) => row.index === index)?.error.code ?? 'done');
  };
  const message = (row) => MESSAGES[row.slice(0, row.indexOf(' '))](row.slice(row.indexOf(' ') + 1));

  const results = { send: await Promise.all(inputs.send.map((token) => send(messaging, byToken(token)))) };
  results.message = await Promise.all(inputs.message.map((row) => send(messaging, message(row))));
  results.sendEach = await sendEach(inputs.sendEach);
  results.brokenHttp2 = await broken(inputs.brokenHttp2);
  results.multicast = namesSent(await messaging.sendEachForMulticast({ tokens: inputs.multicast }));
  results.multicastFids = namesSent(await messaging.sendEachForMulticast({ fids: inputs.multicastFids }));
  for (const method of ['subscribeToTopic', 'unsubscribeFromTopic', 'subscribeToTopicLegacy', 'unsubscribeFromTopicLegacy'])
    results[method] = await topics(method, inputs[method]);
  messaging.enableLegacyHttpTransport();
  results.sendEachHttp1 = await sendEach(inputs.sendEachHttp1);
  process.stdout.write(JSON.stringify(results));
}

main();
