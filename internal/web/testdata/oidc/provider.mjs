// A certified OpenID provider for the tests: node provider.mjs REDIRECT_URI. It prints its issuer, and signs in whoever ?as= names, without asking.
// The module is found in the folder NODE_MODULES.
import http from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(process.env.NODE_MODULES + '/');
const { default: Provider } = await import(pathToFileURL(require.resolve('oidc-provider')));

const accounts = {
  'sub-boris': { name: 'Boris Lang', email: 'boris@shop.example', email_verified: true, groups: ['oncall', 'unknown-group'] },
  'sub-legal': { name: 'Lena', email: 'legal@shop.example', email_verified: true, groups: ['lawyers'] },
  'sub-nobody': { name: 'Nobody', email: 'legal@shop.example', email_verified: false, groups: ['oncall'] },
  'sub-none': { name: 'None', email: 'analyst@shop.example', email_verified: true, groups: ['unknown-group'] },
};

const server = http.createServer();
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, {
  clients: [{ client_id: 'tocsin', client_secret: 'a secret of the test', redirect_uris: [process.argv[2]], grant_types: ['authorization_code'], response_types: ['code'] }],
  pkce: { required: () => true },
  scopes: ['openid', 'offline_access'],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'] },
  cookies: { keys: ['a key of the test'] },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, id) => (accounts[id] ? { accountId: id, claims: () => ({ sub: id, ...accounts[id] }) } : undefined),
});
const answer = provider.callback();
server.on('request', async (req, res) => {
  const url = new URL(req.url, issuer);
  if (!url.pathname.startsWith('/interaction/')) return answer(req, res);
  try {
    const { prompt, params, session, grantId } = await provider.interactionDetails(req, res);
    if (prompt.name === 'login') return await provider.interactionFinished(req, res, { login: { accountId: url.searchParams.get('as') } });
    const grant = grantId ? await provider.Grant.find(grantId) : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope('openid email profile groups');
    return await provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
  } catch (e) {
    res.writeHead(500).end(String(e));
  }
});
console.log(`issuer ${issuer}`);
