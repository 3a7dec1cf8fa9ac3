// The life of a user through Alibaba Cloud's SDKs for Node: the newer one (ACS3) makes
// the user, binds and unbinds a virtual MFA device; the older one (RPC 1.0, by GET and
// with everything in the form) reads it. Prints "ok" at the end; any surprise throws.
'use strict';
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const Ims = require('@alicloud/ims20190815');
const OpenApi = require('@alicloud/openapi-core');
const { RPCClient } = require('@alicloud/pop-core');

const { WARIFU_HOST: host, WARIFU_KEY: id, WARIFU_SECRET: secret, WARIFU_DOMAIN: domain } = process.env;

// code is the one-time code of a seed, steps from now (RFC 6238).
function code(seed, steps) {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...seed.replace(/=+$/, '')].map((c) => letters.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000) + steps));
  const sum = crypto.createHmac('sha1', key).update(step).digest();
  return String((sum.readUInt32BE(sum[19] & 15) & 0x7fffffff) % 1e6).padStart(6, '0');
}

async function refused(want, what) {
  try {
    await what();
  } catch (e) {
    assert.equal(e.code, want, `${e.code}: ${e.message}`);
    return;
  }
  assert.fail(`${want} was expected`);
}

async function main() {
  const client = new Ims.default(new OpenApi.$OpenApiUtil.Config({
    endpoint: host, protocol: 'HTTP', regionId: 'cn-hangzhou', accessKeyId: id, accessKeySecret: secret,
  }));
  const upn = `node@${domain}`;
  const made = await client.createUser(new Ims.CreateUserRequest({ userPrincipalName: upn, displayName: 'Node' }));
  assert.equal(made.body.user.userPrincipalName, upn);
  await client.createLoginProfile(new Ims.CreateLoginProfileRequest({ userPrincipalName: upn, password: 'correct horse battery', mfaBindRequired: true }));
  const device = (await client.createVirtualMFADevice(new Ims.CreateVirtualMFADeviceRequest({ virtualMFADeviceName: 'node' }))).body.virtualMFADevice;
  const bind = (one, two) => client.bindMFADevice(new Ims.BindMFADeviceRequest({
    userPrincipalName: upn, serialNumber: device.serialNumber, authenticationCode1: one, authenticationCode2: two,
  }));
  await refused('CheckAuthenticationCodeFail', () => bind('000000', '000001'));
  await bind(code(device.base32StringSeed, -1), code(device.base32StringSeed, 0));
  const info = await client.getUserMFAInfo(new Ims.GetUserMFAInfoRequest({ userPrincipalName: upn }));
  assert.equal(info.body.isMFAEnable, true);

  for (const method of ['GET', 'POST']) {
    const older = new RPCClient({ accessKeyId: id, accessKeySecret: secret, endpoint: `http://${host}`, apiVersion: '2015-05-01' });
    const got = await older.request('GetUser', { UserName: 'node' }, { method });
    assert.equal(got.User.DisplayName, 'Node');
    await refused('EntityNotExist.User', () => older.request('GetUser', { UserName: 'nobody' }, { method }));
    const wrong = new RPCClient({ accessKeyId: id, accessKeySecret: 'wrong', endpoint: `http://${host}`, apiVersion: '2015-05-01' });
    await refused('SignatureDoesNotMatch', () => wrong.request('GetUser', { UserName: 'node' }, { method }));
  }

  const gone = await client.unbindMFADevice(new Ims.UnbindMFADeviceRequest({ userPrincipalName: upn }));
  assert.equal(gone.body.MFADevice?.serialNumber ?? gone.body.mfaDevice?.serialNumber, device.serialNumber);
  await client.deleteVirtualMFADevice(new Ims.DeleteVirtualMFADeviceRequest({ serialNumber: device.serialNumber }));
  await client.deleteLoginProfile(new Ims.DeleteLoginProfileRequest({ userPrincipalName: upn }));
  await client.deleteUser(new Ims.DeleteUserRequest({ userPrincipalName: upn }));
  console.log('ok');
}

main().catch((e) => { console.error(e); process.exit(1); });
