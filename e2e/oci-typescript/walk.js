// What Oracle's SDK for TypeScript does with the server, from a user to a device, with
// all retries off. The first argument is the server's address, the second a file of
// ~/.oci/config's form.
"use strict";
const assert = require("node:assert/strict");
const crypto = require("node:crypto");
const common = require("oci-common");
const identity = require("oci-identity");

const [endpoint, file] = process.argv.slice(2);

function client(provider) {
  const c = new identity.IdentityClient(
    { authenticationDetailsProvider: provider },
    { retryConfiguration: common.NoRetryConfigurationDetails },
  );
  c.endpoint = endpoint;
  return c;
}

// fails makes sure that a call fails with a status and a code.
async function fails(call, status, code) {
  await assert.rejects(call, (e) => {
    assert.equal(e.statusCode, status, e.message);
    assert.equal(e.serviceCode, code);
    assert.ok(e.opcRequestId);
    return true;
  });
}

// code is what an authenticator shows (RFC 6238) for a seed in base32.
function code(seed) {
  const bits = [...seed.replace(/=+$/, "")].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000)));
  const mac = crypto.createHmac("sha1", key).update(counter).digest();
  const at = mac[19] & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1000000).padStart(6, "0");
}

async function ready() {
  for (let i = 0; i < 200; i++) {
    try {
      await fetch(endpoint + "/");
      return;
    } catch {
      await new Promise((done) => setTimeout(done, 50));
    }
  }
  throw new Error("the server does not answer");
}

async function walk() {
  await ready();
  const provider = new common.ConfigFileAuthenticationDetailsProvider(file);
  const root = provider.getTenantId();
  const admin = client(provider);

  const { user } = await admin.createUser({ createUserDetails: { compartmentId: root, name: "alice", description: "A person" } });
  await fails(admin.createUser({ createUserDetails: { compartmentId: root, name: "Alice", description: "x" } }), 409, "UserAlreadyExists");
  const pair = crypto.generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const { apiKey } = await admin.uploadApiKey({ userId: user.id, createApiKeyDetails: { key: pair.publicKey } });
  const alice = client(new common.SimpleAuthenticationDetailsProvider(root, user.id, apiKey.fingerprint, pair.privateKey, null, common.Region.US_ASHBURN_1));

  const { group, etag } = await admin.createGroup({ createGroupDetails: { compartmentId: root, name: "GroupA", description: "one" } });
  await admin.addUserToGroup({ addUserToGroupDetails: { userId: user.id, groupId: group.id } });
  const statements = ["allow group GroupA to inspect groups in tenancy where request.user.mfaTotpVerified='true'", "Allow  group GroupA to inspect users in tenancy"];
  const { policy } = await admin.createPolicy({ createPolicyDetails: { compartmentId: root, name: "p", description: "p", statements } });
  assert.deepEqual(policy.statements, statements);
  assert.ok((await alice.listUsers({ compartmentId: root })).items.length === 2);
  await fails(alice.listGroups({ compartmentId: root }), 404, "NotAuthorizedOrNotFound");
  await fails(admin.createPolicy({ createPolicyDetails: { compartmentId: root, name: "q", description: "q", statements: ["where"] } }), 400, "InvalidParameter");

  // Only its user enables a device; an administrator takes it away.
  await fails(admin.createMfaTotpDevice({ userId: user.id }), 404, "NotAuthorizedOrNotFound");
  const { mfaTotpDevice: device } = await alice.createMfaTotpDevice({ userId: user.id });
  const activate = (totpToken) => alice.activateMfaTotpDevice({ userId: user.id, mfaTotpDeviceId: device.id, mfaTotpToken: { totpToken } });
  await fails(activate("000000"), 400, "InvalidParameter");
  assert.equal((await activate(code(device.seed))).mfaTotpDeviceSummary.isActivated, true);
  assert.equal((await admin.getUser({ userId: user.id })).user.isMfaActivated, true);
  await fails(alice.createMfaTotpDevice({ userId: user.id }), 409, "Conflict");
  await admin.deleteMfaTotpDevice({ userId: user.id, mfaTotpDeviceId: device.id });
  assert.equal((await admin.getUser({ userId: user.id })).user.isMfaActivated, false);
  await admin.updateUserState({ userId: user.id, updateStateDetails: { blocked: false } });
  await fails(admin.updateUserState({ userId: user.id, updateStateDetails: { blocked: true } }), 400, "InvalidParameter");

  // ETags, retry tokens, pages.
  const second = await admin.updateGroup({ groupId: group.id, ifMatch: etag, updateGroupDetails: { description: "two" } });
  await fails(admin.updateGroup({ groupId: group.id, ifMatch: etag, updateGroupDetails: { description: "three" } }), 412, "NoEtagMatch");
  await admin.updateGroup({ groupId: group.id, ifMatch: second.etag, updateGroupDetails: { description: "three" } });
  const once = () => admin.createGroup({ opcRetryToken: "token-1", createGroupDetails: { compartmentId: root, name: "once", description: "once" } });
  assert.equal((await once()).group.id, (await once()).group.id);
  for (const name of ["x", "y", "z"]) {
    await admin.createGroup({ createGroupDetails: { compartmentId: root, name, description: name } });
  }
  const names = [];
  for await (const g of admin.listGroupsRecordIterator({ compartmentId: root, limit: 2 })) {
    names.push(g.name);
  }
  assert.deepEqual(names, ["GroupA", "once", "x", "y", "z"]);

  // What the server does not have.
  await fails(admin.listDomains({ compartmentId: root }), 501, "MethodNotImplemented");
  console.log("1 passed, 0 failed");
}

walk().catch((e) => {
  console.error(e);
  process.exit(1);
});
