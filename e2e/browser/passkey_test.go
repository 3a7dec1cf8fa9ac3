package browser

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/security"
	"github.com/chromedp/cdproto/webauthn"
)

// authenticator puts an authenticator beside the tab, which somebody touches at
// once.
func (b *tab) authenticator(change func(*webauthn.VirtualAuthenticatorOptions)) webauthn.AuthenticatorID {
	b.t.Helper()
	must(call(b, webauthn.Enable, webauthn.EnableParams{}))(b.t)
	o := &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}
	if change != nil {
		change(o)
	}
	return must(call(b, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: o}))(b.t).AuthenticatorID
}

// touch says whether the authenticator is touched when it blinks.
func (b *tab) touch(a webauthn.AuthenticatorID, on bool) {
	b.t.Helper()
	must(call(b, webauthn.SetAutomaticPresenceSimulation, webauthn.SetAutomaticPresenceSimulationParams{AuthenticatorID: a, Enabled: on}))(b.t)
}

func (b *tab) verified(a webauthn.AuthenticatorID, on bool) {
	b.t.Helper()
	must(call(b, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: a, IsUserVerified: on}))(b.t)
}

// newPasskey creates a passkey on the Security page.
func (b *tab) newPasskey(name string) {
	b.t.Helper()
	b.visit("/security/passkeys/new")
	b.fill(b.w("passkeys.name"), name)
	b.click(b.w("passkeys.create.do")).at("/security#passkeys").says(b.w("flash.passkey.created", "name", name), name)
}

// filled waits until the browser has filled a passkey into the sign-in form, and
// the form has been sent.
func (b *tab) filled() {
	b.t.Helper()
	must(call(b, page.Reload, page.ReloadParams{}))(b.t)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		r, err := call(b, runtime.Evaluate, runtime.EvaluateParams{Expression: "location.pathname", ReturnByValue: new(true)})
		if err == nil && string(r.Result.Value) == `"/console"` { // a page may just be going
			time.Sleep(200 * time.Millisecond)
			for _, f := range b.take() {
				if !strings.Contains(f, "NavigationEntryMarkedSkippable") { // nobody pressed anything: so it is
					b.t.Error(f)
				}
			}
			return
		}
	}
	b.t.Fatalf("no passkey was filled in; the tab is at %s", b.path())
}

// quietly keeps the sign-in form from using a passkey by itself, as a browser does
// in which nobody picks one: an authenticator that is touched at once would.
func (b *tab) quietly() {
	b.t.Helper()
	must(call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: "if (window.PublicKeyCredential) PublicKeyCredential.isConditionalMediationAvailable = async () => false",
	}))(b.t)
}

// overTLS is a site behind a proxy that speaks TLS: browsers know U2F keys over
// https only.
func overTLS(t *testing.T) (s *site, front *site) {
	t.Helper()
	public := httptest.NewUnstartedServer(nil)
	public.Listener.Close()
	address := freeAddress(t)
	var err error
	if public.Listener, err = net.Listen("tcp", address); err != nil {
		t.Fatal(err)
	}
	s = newSite(t, "WARIFU_PUBLIC_URL=https://"+address, "WARIFU_TRUSTED_PROXIES=127.0.0.0/8,::1/128")
	to := must(url.Parse(s.base))(t)
	public.Config.Handler = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host
		r.SetXForwarded()
	}}
	public.Config.ErrorLog = log.New(io.Discard, "", 0) // Chromium tries, and then ignores, the certificate
	public.StartTLS()
	t.Cleanup(public.Close)
	front = &site{AccountID: s.AccountID, base: "https://" + address}
	return s, front
}

// A passkey is created on the Security page, signs in by itself, steps a session
// up, is renamed and removed, and then lets nobody in; in every language.
func TestPasskeys(t *testing.T) {
	for _, lang := range languages {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.user(t, "alice", admins)
			b := s.open(t, lang)
			b.authenticator(nil)
			b.quietly()
			b.signIn(s, "alice").at("/console")
			b.visit("/security").says(b.w("passkeys.none.title"))
			b.link(b.w("passkeys.create")).at("/security/passkeys/new").look("new passkey")
			b.newPasskey("Laptop")
			b.says(b.w("passkeys.badge.bound"), b.w("mfa.some.badge"), b.w("mfa.none.beside")).doesNotSay("{").look("security with a passkey")

			// This session has proved the password only. What does not work is said
			// calmly.
			b.visit("/security/passkeys/new").at("/stepup?next=%2Fsecurity%2Fpasskeys%2Fnew").click(b.w("signin.key.do")).at("/security/passkeys/new")
			b.press("button", b.w("passkeys.create.do"))
			b.soon(b.w("passkey.say.there"))
			b.look("new passkey, there already")

			b.link(b.w("form.cancel")).at("/security").link(b.w("passkeys.rename") + " Laptop").look("rename a passkey")
			b.fill(b.w("passkeys.name"), "鍵").click(b.w("passkeys.rename.do")).at("/security#passkeys").says(b.w("flash.passkey.renamed"), "鍵")

			b.signOut()
			b.fill(b.w("signin.user"), "alice").fill(b.w("signin.password"), userPassword)
			b.click(b.w("signin.do")).at("/signin/code").says(b.w("signin.key.lead", "user", "alice")).look("passkey as the second factor")
			b.click(b.w("signin.key.do")).at("/console")

			b.visit("/security").link(b.w("mfa.remove") + " 鍵").look("remove a passkey")
			b.click(b.w("passkeys.remove.do")).at("/security#passkeys").says(b.w("flash.passkey.removed", "name", "鍵"), b.w("passkeys.none.title"))
			b.signOut()
			b.click(b.w("signin.passkey.do")).at("/signin/passkey").says(b.w("passkey.refused.signin")).look("passkey refused")
		})
	}
}

// Signing in with nothing but a passkey: where the browser fills the form in, and
// by the button; without verification it is refused (W-3).
func TestPasskeySignIn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.user(t, "alice", admins)
	b := s.open(t, "en")
	a := b.authenticator(func(o *webauthn.VirtualAuthenticatorOptions) {
		o.DefaultBackupEligibility, o.DefaultBackupState = true, true
	})
	b.signIn(s, "alice").at("/console")
	b.newPasskey("Everywhere")
	b.says(b.w("passkeys.badge.synced"))

	b.touch(a, false)
	b.signOut()
	if got := eval[string](b, "document.getElementById('user').autocomplete"); got != "username webauthn" {
		t.Errorf("the field of the name has autocomplete %q", got)
	}
	b.touch(a, true)
	b.filled()
	b.at("/console")

	b.touch(a, false)
	b.signOut()
	b.verified(a, false)
	b.touch(a, true)
	b.press("button", b.w("signin.passkey.do"))
	b.soon(b.w("passkey.say.left"))
	b.look("passkey without verification")
	b.verified(a, true)
	b.click(b.w("signin.passkey.do")).at("/console")
}

// Root, who must have a factor, creates a passkey as the first one while signing
// in (P-9), and comes in by it from then on.
func TestPasskeyAtSignIn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.open(t, "en")
	b.authenticator(nil)
	b.quietly()
	b.visit(s.SetupURL).click(b.w("signin.setup.do"))
	b.fill(b.w("signin.account.alias"), "acme").click(b.w("form.continue"))
	b.fill(b.w("signin.email"), rootMail).fill(b.w("signin.root.password"), rootPassword).fill(b.w("signin.root.again"), rootPassword)
	b.click(b.w("form.continue")).at("/signin/bind").says(b.w("bind.passkey"), b.w("bind.app")).look("bind a passkey or an app")
	b.click(b.w("passkeys.create.do")).at("/console")
	b.visit("/security").says(b.w("passkeys.badge.bound"))
	b.signOut()
	b.click(b.w("signin.passkey.do")).at("/console").says(b.w("frame.root"))

	// Behind an enrolment link there is the same choice.
	link := b.send("admin")
	other := s.open(t, "en")
	other.authenticator(nil)
	other.visit(link).click(other.w("enrol.do")).says(other.w("bind.passkey"), other.w("bind.scan")).look("a link, opened")
	other.click(other.w("passkeys.create.do")).says(other.w("enrol.done.title")).look("a passkey by a link")
}

// Step-up by a passkey, when the last proof is too long ago.
func TestPasskeyStepUp(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.user(t, "alice", admins)
	b, other := s.open(t, "en"), s.open(t, "en")
	b.authenticator(nil)
	b.signIn(s, "alice").at("/console")
	other.signIn(s, "alice").at("/console")
	b.newPasskey("Laptop")
	// This session has proved only the password, and there is a passkey now.
	b.visit("/security").link(b.w("keys.create")).at("/stepup?next=%2Fsecurity%2Fkeys%2Fnew").look("step up with a passkey")
	b.click(b.w("signin.key.do")).at("/security/keys/new")
	// Another browser has no passkey: nothing is sent, and it is said.
	other.authenticator(nil)
	other.visit("/stepup")
	other.press("button", other.w("signin.key.do"))
	other.soon(other.w("passkey.say.left"))
}

// W-8: a key from before WebAuthn is a second factor, and becomes a passkey after
// it has proved itself.
func TestU2FUpgrade(t *testing.T) {
	t.Parallel()
	s, front := overTLS(t)
	s.user(t, "alice", admins)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private := must(x509.MarshalPKCS8PrivateKey(key))(t)
	point := must(key.PublicKey.Bytes())(t)
	handle := make([]byte, 64)
	rand.Read(handle) //nolint:errcheck // it never fails

	admin := s.open(t, "ja")
	s.user(t, "boss", admins)
	admin.signIn(s, "boss").at("/console")
	admin.visit("/console/users/alice/mfa").link(admin.w("u2f.link")).at("/console/users/alice/u2f").look("import a security key")
	admin.fill(admin.w("u2f.handle"), base64.RawURLEncoding.EncodeToString(handle)).fill(admin.w("u2f.public"), base64.RawURLEncoding.EncodeToString(point))
	admin.fill(admin.w("passkeys.name"), "Old key").click(admin.w("u2f.do")).says(admin.w("flash.u2f.imported", "name", "Old key"))

	b := front.open(t, "ja")
	must(call(b, security.SetIgnoreCertificateErrors, security.SetIgnoreCertificateErrorsParams{Ignore: true}))(t)
	b.quietly()
	usb := b.authenticator(func(o *webauthn.VirtualAuthenticatorOptions) {
		o.Protocol, o.Transport, o.HasResidentKey, o.HasUserVerification = webauthn.AuthenticatorProtocolU2f, webauthn.AuthenticatorTransportUsb, false, false
	})
	// By hand: the library's form says things that a U2F key does not know.
	must(call(b, cdp.Command[map[string]any, cdp.Empty]{Method: webauthn.CommandAddCredential}, map[string]any{
		"authenticatorId": usb, "credential": map[string]any{
			"credentialId": handle, "isResidentCredential": false, "rpId": front.base, "privateKey": private, "signCount": 1,
		},
	}))(t)
	b.signIn(front, "alice").at("/signin/code").look("security key as the second factor")
	b.click(b.w("signin.key.do")).at("/console")
	b.visit("/security").says(b.w("passkeys.badge.u2f")).look("security with a U2F key")
	b.link(b.w("passkeys.upgrade") + " Old key").look("upgrade, the old key")
	b.click(b.w("upgrade.old.do")).says(b.w("upgrade.new")).look("upgrade, the passkey")
	b.authenticator(nil)
	b.click(b.w("passkeys.create.do")).at("/security#passkeys").says(b.w("flash.passkey.upgraded", "name", "Old key"))
	if n := eval[int](b, `document.querySelectorAll('a[href$="/upgrade"]').length`); n != 0 {
		t.Errorf("%d keys can still be upgraded", n)
	}
	devices, err := s.iam.ListMFADevices(context.Background(), &iam.ListMFADevicesInput{UserName: new("alice")})
	if err != nil || len(devices.MFADevices) != 1 {
		t.Fatalf("%v, %+v", err, devices)
	}
	if got := *devices.MFADevices[0].SerialNumber; !strings.HasPrefix(got, "arn:aws:iam::"+s.AccountID+":u2f/user/alice/Old-key-") {
		t.Errorf("its serial number is %s", got)
	}
}
