// Package federation verifies what identity providers from elsewhere say of
// somebody: tokens of OpenID Connect and assertions of SAML 2.0. It reads keys and
// metadata that it is given, and fetches nothing. Signatures are verified by
// libraries; what a signature covers, for whom and until when it is said, is checked
// here. ops calls it.
package federation
