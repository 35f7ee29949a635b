// A sender on firebase-admin for Node (docs/packages.md). It hides FCM's answer, so a report says what its code means.
'use strict';
const [net, { createHash }] = [require('node:net'), require('node:crypto')];
const [{ initializeApp }, { getMessaging }] = [require('firebase-admin/app'), require('firebase-admin/messaging')];
const { HttpsProxyAgent } = require('https-proxy-agent');
const [redis, events, app] = process.argv.slice(2);
const MEANINGS = {
  'registration-token-not-registered': [404, 'UNREGISTERED'], 'mismatched-credential': [403, 'SENDER_ID_MISMATCH'],
  'third-party-auth-error': [401, 'THIRD_PARTY_AUTH_ERROR'], 'message-rate-exceeded': [429, 'QUOTA_EXCEEDED'],
  'server-unavailable': [503, 'UNAVAILABLE'], 'internal-error': [500, 'INTERNAL'], 'invalid-argument': [400, 'INVALID_ARGUMENT'],
};
const [httpAgent, access] = [new HttpsProxyAgent(process.env.HTTPS_PROXY), { access_token: 'any', expires_in: 3600 }];
initializeApp({ credential: { getAccessToken: async () => access }, projectId: app, httpAgent });
const connection = net.connect(new URL(redis).port, new URL(redis).hostname);
let unread = Buffer.alloc(0);
async function report(record, { subscriber_id, token }) {
  const sent_at = new Date().toISOString();
  const hash = createHash('sha1').update(`${record.message_id} ${subscriber_id}`).digest('hex');
  const report_id = hash.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/, '$1-$2-5$3-8$4-$5');
  const [http_status, response] = await getMessaging().send({ ...record.v1, android: { ttl: 60000 }, token }).then((name) => [200, { name }], ({ code, message }) => {
    const [status, errorCode] = MEANINGS[String(code).split('/').pop()] || [400, 'UNKNOWN'];
    return [status, { error: { code: status, message, details: [{ '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode }] } }];
  });
  return { report_id, ...Object.fromEntries(['firebase_app', 'message_id', 'spam'].map((name) => [name, record[name]])), subscriber_id, token, sent_at, http_status, retry_after: null, response, protocol: 'fcm_v1' };
}
async function deliver(record, reports) {
  const taken = await fetch(`${events}/v1/reports`, { method: 'POST', body: JSON.stringify({ reports }) }).catch(() => ({}));
  if (taken.status !== 202) setTimeout(deliver, 100, record, reports);
}
const pop = () => connection.write(`BLPOP messages:${app}:regular messages:${app}:spam 0\r\n`);
connection.on('data', (data) => {
  unread = Buffer.concat([unread, data]);
  const text = /^\*2\r\n\$\d+\r\n[^\r]*\r\n\$(\d+)\r\n/.exec(unread.toString('latin1'));
  if (!text || unread.length < text[0].length + Number(text[1]) + 2) return;
  const record = JSON.parse(unread.subarray(text[0].length, text[0].length + Number(text[1])).toString());
  unread = Buffer.alloc(0);
  Promise.all(record.recipients.map((recipient) => report(record, recipient))).then((reports) => deliver(record, reports));
  pop();
});
pop();
