package ops

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	sig "warifu/internal/reqsig/oci"
	"warifu/internal/seal"
	"warifu/policy"
)

// OracleAPIKey is a public key with which a user signs requests.
type OracleAPIKey struct {
	iam.OracleKey
	ETag string
}

func oracleAPIKey(k *iam.OracleKey) *OracleAPIKey {
	return &OracleAPIKey{*k, etagOf(k.User, k.Fingerprint, k.Created)}
}

// ID is the name by which requests call the key.
func (k *OracleAPIKey) ID() string {
	return k.Account.Tenancy() + "/" + k.User.OCID(name.OCIUser) + "/" + k.Fingerprint
}

// UploadKeyIn is the input of UploadAPIKey.
type UploadKeyIn struct {
	User  name.ID
	Key   string // PEM
	Retry Retry
}

// UploadAPIKey gives a user a public key to sign with. A user may do it for itself
// without any policy.
//
// Errors: NotFound; Invalid key; Exists; Limit, noun "ApiKeys".
var UploadAPIKey = Op[UploadKeyIn, *OracleAPIKey]{
	Name:   "UploadApiKey",
	Grants: Names{AWS: "iam:CreateAccessKey", OCI: "UploadApiKey"},
	Mode:   Write,
	Needs:  freshly,
	Target: func(env *Env, in UploadKeyIn) (Target, error) { return env.oracleUserTarget(in.User, true) },
	Record: func(in UploadKeyIn) audit.Fields { return audit.Fields{"user": in.User.String()} },
	Do: func(env *Env, in UploadKeyIn) (*OracleAPIKey, error) {
		return once(env, "UploadApiKey", in.Retry, func() (*OracleAPIKey, error) {
			u, err := env.capable(in.User, "API key", func(c *OracleCapabilities) bool { return c.APIKeys })
			if err != nil {
				return nil, err
			}
			return env.addAPIKey(u, in.Key)
		})
	},
}

// addAPIKey checks a public key and keeps it.
func (env *Env) addAPIKey(u *iam.User, text string) (*OracleAPIKey, error) {
	public, err := sig.ParsePublicKey(text)
	if err != nil {
		return nil, fault.Field("key", "key must be an RSA public key of at least %d bits in PEM: %v", sig.MinKeyBits, err)
	}
	fingerprint, err := sig.Fingerprint(public)
	if err != nil {
		return nil, fault.Wrap(err, "upload an API key")
	}
	all, err := env.Tx.OracleKeys(u.Account, u.ID)
	if err != nil {
		return nil, err
	}
	if most := env.oracleLimits.APIKeys; most > 0 && len(all) >= most {
		return nil, limited("ApiKeys", most)
	}
	k := &iam.OracleKey{User: u.ID, Account: u.Account, Fingerprint: fingerprint, Key: text, Created: env.Now}
	if err := env.Tx.InsertOracleKey(k); err != nil {
		return nil, err
	}
	return oracleAPIKey(k), env.notify(u, iam.NoticeKeyCreated, fingerprint)
}

// ListAPIKeys lists a user's public keys, oldest first.
var ListAPIKeys = Op[Matching, []OracleAPIKey]{
	Name:   "ListApiKeys",
	Grants: Names{AWS: "iam:ListAccessKeys", OCI: "ListApiKeys"},
	Target: func(env *Env, in Matching) (Target, error) { return env.oracleUserTarget(in.ID, true) },
	Do: func(env *Env, in Matching) (out []OracleAPIKey, err error) {
		u, err := env.oracleUserOf(in.ID)
		if err != nil {
			return nil, err
		}
		all, err := env.Tx.OracleKeys(u.Account, u.ID)
		for i := range all {
			out = append(out, *oracleAPIKey(&all[i]))
		}
		return out, err
	},
}

// DeleteKeyIn is the input of DeleteAPIKey.
type DeleteKeyIn struct {
	User        name.ID
	Fingerprint string
	IfMatch     string
}

// DeleteAPIKey deletes a public key; from the answer on it is good for nothing.
//
// Errors: NotFound.
var DeleteAPIKey = Op[DeleteKeyIn, struct{}]{
	Name:   "DeleteApiKey",
	Grants: Names{AWS: "iam:DeleteAccessKey", OCI: "DeleteApiKey"},
	Mode:   Write,
	Needs:  freshly,
	Target: func(env *Env, in DeleteKeyIn) (Target, error) { return env.oracleUserTarget(in.User, true) },
	Record: func(in DeleteKeyIn) audit.Fields {
		return audit.Fields{"user": in.User.String(), "fingerprint": clipped(in.Fingerprint)}
	},
	Do: func(env *Env, in DeleteKeyIn) (none struct{}, err error) {
		u, err := env.oracleUserOf(in.User)
		if err != nil {
			return none, err
		}
		k, err := env.Tx.OracleKey(u.Account, u.ID, strings.ToLower(in.Fingerprint))
		if err != nil {
			return none, err
		}
		if err := matches(in.IfMatch, oracleAPIKey(k).ETag); err != nil {
			return none, err
		}
		return none, env.Tx.DeleteOracleKey(u.Account, u.ID, k.Fingerprint)
	},
}

// OracleScope is what an OAuth2 credential may be used for.
type OracleScope struct {
	Audience string `json:"audience"`
	Scope    string `json:"scope"`
}

// oracleCredentialBody is the body of a credential: what verifies it, and its scopes.
type oracleCredentialBody struct {
	Hash   string        `json:"h,omitempty"` // SHA-256 of the secret, which has 160 bits or more
	User   string        `json:"u,omitempty"` // SMTP: the name to sign in with
	Scopes []OracleScope `json:"s,omitempty"`
}

// OracleCredentialNoun is a credential of a user that other services take. Its secret
// is there when it is made, and never again.
type OracleCredentialNoun struct {
	OracleNoun
	Plain seal.Secret `json:"-"`
}

func (c *OracleCredentialNoun) secret() *seal.Secret { return &c.Plain }

// Login is the name that an SMTP client signs in with; Scopes those of OAuth2.
func (c *OracleCredentialNoun) Login() (user string, scopes []OracleScope) {
	var body oracleCredentialBody
	if json.Unmarshal([]byte(c.Body), &body) != nil {
		return "", nil
	}
	return body.User, body.Scopes
}

// OracleCredentialIn is the input of operations on credentials.
type OracleCredentialIn struct {
	User    name.ID
	ID      name.ID
	Name    string
	Text    *string // the description, or the display name
	Scopes  []OracleScope
	IfMatch string
	Retry   Retry
}

func (in OracleCredentialIn) record() audit.Fields {
	return audit.Fields{"user": in.User.String(), "credential": in.ID.String()}
}

// credentialKind is what differs between kinds of credentials.
type credentialKind struct {
	kind    iam.OracleKind
	what    string
	limit   func(*OracleLimits) int
	may     func(*OracleCapabilities) bool
	scoped  bool // it has a name and scopes
	suffix  string
	create  Names
	read    Names
	update  Names
	destroy Names
	named   [4]string // the operations: create, list, update, delete
}

var authTokens = &credentialKind{
	kind: iam.OracleAuthToken, what: "auth token", limit: func(l *OracleLimits) int { return l.AuthTokens }, may: func(c *OracleCapabilities) bool { return c.AuthTokens },
	create: Names{AWS: "iam:CreateServiceSpecificCredential", OCI: "CreateAuthToken"}, read: Names{AWS: "iam:ListServiceSpecificCredentials", OCI: "ListAuthTokens"},
	update: Names{AWS: "iam:UpdateServiceSpecificCredential", OCI: "UpdateAuthToken"}, destroy: Names{AWS: "iam:DeleteServiceSpecificCredential", OCI: "DeleteAuthToken"},
	named: [4]string{"CreateAuthToken", "ListAuthTokens", "UpdateAuthToken", "DeleteAuthToken"},
}

// swiftPasswords are auth tokens by their older name, which old clients still ask for.
var swiftPasswords = &credentialKind{
	kind: iam.OracleSwift, what: "Swift password", limit: func(l *OracleLimits) int { return l.AuthTokens }, may: func(c *OracleCapabilities) bool { return c.AuthTokens },
	create: Names{AWS: "iam:CreateServiceSpecificCredential", OCI: "CreateSwiftPassword"}, read: Names{AWS: "iam:ListServiceSpecificCredentials", OCI: "ListSwiftPasswords"},
	update: Names{AWS: "iam:UpdateServiceSpecificCredential", OCI: "UpdateSwiftPassword"}, destroy: Names{AWS: "iam:DeleteServiceSpecificCredential", OCI: "DeleteSwiftPassword"},
	named: [4]string{"CreateSwiftPassword", "ListSwiftPasswords", "UpdateSwiftPassword", "DeleteSwiftPassword"},
}

var smtpCredentials = &credentialKind{
	kind: iam.OracleSMTP, what: "SMTP credential", limit: func(l *OracleLimits) int { return l.SMTP }, may: func(c *OracleCapabilities) bool { return c.SMTP }, suffix: "@oracle.smtp",
	create: Names{AWS: "iam:CreateServiceSpecificCredential", OCI: "CreateSmtpCredential"}, read: Names{AWS: "iam:ListServiceSpecificCredentials", OCI: "ListSmtpCredentials"},
	update: Names{AWS: "iam:UpdateServiceSpecificCredential", OCI: "UpdateSmtpCredential"}, destroy: Names{AWS: "iam:DeleteServiceSpecificCredential", OCI: "DeleteSmtpCredential"},
	named: [4]string{"CreateSmtpCredential", "ListSmtpCredentials", "UpdateSmtpCredential", "DeleteSmtpCredential"},
}

var oauth2Credentials = &credentialKind{
	kind: iam.OracleOAuth2, what: "OAuth2 credential", limit: func(l *OracleLimits) int { return l.OAuth2 }, may: func(c *OracleCapabilities) bool { return c.OAuth2 }, scoped: true,
	create: Names{AWS: "iam:CreateServiceSpecificCredential", OCI: "CreateOAuthClientCredential"}, read: Names{AWS: "iam:ListServiceSpecificCredentials", OCI: "ListOAuthClientCredentials"},
	update: Names{AWS: "iam:UpdateServiceSpecificCredential", OCI: "UpdateOAuthClientCredential"}, destroy: Names{AWS: "iam:DeleteServiceSpecificCredential", OCI: "DeleteOAuthClientCredential"},
	named: [4]string{"CreateOAuthClientCredential", "ListOAuthClientCredentials", "UpdateOAuthClientCredential", "DeleteOAuthClientCredential"},
}

// The operations on credentials. A user may do them for itself without any policy, but
// for OAuth2 credentials.
var (
	CreateAuthToken, ListAuthTokens, UpdateAuthToken, DeleteAuthToken                                                 = authTokens.ops()
	CreateSwiftPassword, ListSwiftPasswords, UpdateSwiftPassword, DeleteSwiftPassword                                 = swiftPasswords.ops()
	CreateSMTPCredential, ListSMTPCredentials, UpdateSMTPCredential, DeleteSMTPCredential                             = smtpCredentials.ops()
	CreateOAuthClientCredential, ListOAuthClientCredentials, UpdateOAuthClientCredential, DeleteOAuthClientCredential = oauth2Credentials.ops()
)

// ops are the four operations of a kind of credential.
func (k *credentialKind) ops() (create Op[OracleCredentialIn, *OracleCredentialNoun], read Op[Matching, []OracleCredentialNoun], update Op[OracleCredentialIn, *OracleCredentialNoun], destroy Op[OracleCredentialIn, struct{}]) {
	target := func(env *Env, in OracleCredentialIn) (Target, error) {
		t, err := env.oracleUserTarget(in.User, !k.scoped)
		k.typed(&t)
		return t, err
	}
	create = Op[OracleCredentialIn, *OracleCredentialNoun]{
		Name: k.named[0], Grants: k.create, Mode: Write, Needs: freshly, Target: target, Record: OracleCredentialIn.record,
		Do: func(env *Env, in OracleCredentialIn) (*OracleCredentialNoun, error) {
			return once(env, k.named[0], in.Retry, func() (*OracleCredentialNoun, error) { return k.make(env, in) })
		},
	}
	read = Op[Matching, []OracleCredentialNoun]{
		Name: k.named[1], Grants: k.read,
		Target: func(env *Env, in Matching) (Target, error) { return target(env, OracleCredentialIn{User: in.ID}) },
		Do:     func(env *Env, in Matching) ([]OracleCredentialNoun, error) { return k.list(env, in.ID) },
	}
	update = Op[OracleCredentialIn, *OracleCredentialNoun]{
		Name: k.named[2], Grants: k.update, Mode: Write, Needs: freshly, Target: target, Record: OracleCredentialIn.record,
		Do: k.change,
	}
	destroy = Op[OracleCredentialIn, struct{}]{
		Name: k.named[3], Grants: k.destroy, Mode: Write, Needs: freshly, Target: target, Record: OracleCredentialIn.record,
		Do: func(env *Env, in OracleCredentialIn) (none struct{}, err error) {
			n, err := k.find(env, in)
			if err != nil {
				return none, err
			}
			return none, env.Tx.DeleteOracleNoun(n)
		},
	}
	return create, read, update, destroy
}

// typed is the fact target.credential.type, which only SMTP credentials have: they alone
// are of the resource type credentials.
func (k *credentialKind) typed(t *Target) {
	if k == smtpCredentials {
		t.key("target.credential.type", policy.String("smtp"))
	}
}

// make makes a credential and its secret.
func (k *credentialKind) make(env *Env, in OracleCredentialIn) (*OracleCredentialNoun, error) {
	u, err := env.capable(in.User, k.what, k.may)
	if err != nil {
		return nil, err
	}
	text := ""
	if in.Text != nil {
		text = *in.Text
	}
	if err := checkDescribed(text); err != nil {
		return nil, err
	}
	if k.scoped {
		if err := checkOracleName(in.Name); err != nil {
			return nil, err
		}
		most := env.oracleLimits.Scopes
		if len(in.Scopes) < 1 || most > 0 && len(in.Scopes) > most {
			return nil, fault.Field("scopes", "scopes must have 1 to %d entries", most)
		}
	}
	all, err := env.Tx.OracleCredentials(u.Account, k.kind, u.ID)
	if err != nil {
		return nil, err
	}
	if most := k.limit(&env.oracleLimits); most > 0 && len(all) >= most {
		return nil, limited(k.what, most)
	}
	n := &iam.OracleNoun{Account: u.Account, Kind: k.kind, User: u.ID, Name: in.Name, Description: text, State: iam.OracleActive, Created: env.Now, Changed: env.Now}
	if n.ID, err = name.NewID(env.rand); err != nil {
		return nil, fault.Wrap(err, "create a credential")
	}
	n.Slot = n.ID.String()
	plain, err := randomText(env.rand, 24, base64.RawURLEncoding)
	if err != nil {
		return nil, fault.Wrap(err, "create a credential")
	}
	sum := sha256.Sum256(plain.Reveal())
	body := oracleCredentialBody{Hash: hex.EncodeToString(sum[:]), Scopes: in.Scopes}
	if k.suffix != "" {
		body.User = u.ID.OCID(name.OCIUser) + "@" + u.Account.Tenancy() + "." + n.ID.String()[:6] + k.suffix
	}
	if n.Body, err = bodyOf(body); err != nil {
		return nil, err
	}
	out := &OracleCredentialNoun{OracleNoun: *oracleNoun(n), Plain: plain}
	if err := env.Tx.InsertOracleNoun(n); err != nil {
		return nil, err
	}
	return out, env.notify(u, iam.NoticeKeyCreated, k.what)
}

func (k *credentialKind) list(env *Env, user name.ID) (out []OracleCredentialNoun, err error) {
	u, err := env.oracleUserOf(user)
	if err != nil {
		return nil, err
	}
	all, err := env.Tx.OracleCredentials(u.Account, k.kind, u.ID)
	for i := range all {
		out = append(out, OracleCredentialNoun{OracleNoun: *oracleNoun(&all[i])})
	}
	return out, err
}

// find reads a credential of a user that is as the client saw it.
func (k *credentialKind) find(env *Env, in OracleCredentialIn) (*iam.OracleNoun, error) {
	u, err := env.oracleUserOf(in.User)
	if err != nil {
		return nil, err
	}
	n, err := env.openNoun(k.kind, Matching{ID: in.ID, IfMatch: in.IfMatch})
	if err == nil && n.User != u.ID {
		return nil, fault.Of(fault.NotFound, string(k.kind), in.ID.String())
	}
	return n, err
}

func (k *credentialKind) change(env *Env, in OracleCredentialIn) (*OracleCredentialNoun, error) {
	n, err := k.find(env, in)
	if err != nil {
		return nil, err
	}
	if in.Text != nil {
		n.Description = *in.Text
		if err := checkDescribed(n.Description); err != nil {
			return nil, err
		}
	}
	if in.Scopes != nil {
		var body oracleCredentialBody
		if err := json.Unmarshal([]byte(n.Body), &body); err != nil {
			return nil, fault.Wrap(err, "read a stored credential")
		}
		body.Scopes = in.Scopes
		if n.Body, err = bodyOf(body); err != nil {
			return nil, err
		}
	}
	n.Changed = env.Now
	return &OracleCredentialNoun{OracleNoun: *oracleNoun(n)}, env.Tx.UpdateOracleNoun(n)
}

// OracleSecretKey is a customer secret key: an access key of the directory, with which
// requests are signed in AWS's way, and what its user calls it.
type OracleSecretKey struct {
	ID      string
	User    name.ID
	Called  string
	Active  bool
	Created time.Time
	ETag    string
	Plain   seal.Secret `json:"-"`
}

func (k *OracleSecretKey) secret() *seal.Secret { return &k.Plain }

// OracleSecretKeyIn is the input of operations on customer secret keys.
type OracleSecretKeyIn struct {
	User    name.ID
	ID      string
	Called  string
	IfMatch string
	Retry   Retry
}

func (in OracleSecretKeyIn) record() audit.Fields {
	return audit.Fields{"user": in.User.String(), "key": clipped(in.ID)}
}

// oracleSecretKey reads what is shown of an access key.
func (env *Env) oracleSecretKey(k *iam.AccessKey) (*OracleSecretKey, error) {
	out := &OracleSecretKey{ID: k.ID, User: k.User, Active: k.Status == iam.KeyActive, Created: k.Created}
	n, err := env.Tx.OracleNounAt(k.Account, iam.OracleSecretKeyName, strings.ToLower(k.ID))
	if err == nil {
		out.Called = n.Name
	}
	out.ETag = etagOf(k.ID, k.Status, out.Called)
	return out, ignoreMissing(err)
}

// callSecretKey keeps what a user calls an access key.
func (env *Env) callSecretKey(u *iam.User, key, called string) error {
	if called == "" || len(called) > 200 {
		return fault.Field("displayName", "displayName must have 1 to 200 characters")
	}
	n, err := env.Tx.OracleNounAt(u.Account, iam.OracleSecretKeyName, strings.ToLower(key))
	if err == nil {
		n.Name, n.Changed = called, env.Now
		return env.Tx.UpdateOracleNoun(n)
	}
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	id, err := name.NewID(env.rand)
	if err != nil {
		return fault.Wrap(err, "name a secret key")
	}
	return env.Tx.InsertOracleNoun(&iam.OracleNoun{
		ID: id, Account: u.Account, Kind: iam.OracleSecretKeyName, User: u.ID, Name: called, Slot: strings.ToLower(key), State: iam.OracleActive,
		Created: env.Now, Changed: env.Now,
	})
}

// CreateCustomerSecretKey makes an access key. A user may do it for itself without any
// policy.
//
// Errors: NotFound; Limit.
var CreateCustomerSecretKey = Op[OracleSecretKeyIn, *OracleSecretKey]{
	Name:   "CreateCustomerSecretKey",
	Grants: Names{AWS: "iam:CreateAccessKey", OCI: "CreateCustomerSecretKey"},
	Mode:   Write,
	Needs:  freshly,
	Target: func(env *Env, in OracleSecretKeyIn) (Target, error) { return env.oracleUserTarget(in.User, true) },
	Record: OracleSecretKeyIn.record,
	Do: func(env *Env, in OracleSecretKeyIn) (*OracleSecretKey, error) {
		return once(env, "CreateCustomerSecretKey", in.Retry, func() (*OracleSecretKey, error) {
			u, err := env.capable(in.User, "customer secret key", func(c *OracleCapabilities) bool { return c.SecretKeys })
			if err != nil {
				return nil, err
			}
			k, err := CreateAccessKey.Do(env, UserIn{Ref{ID: u.ID}})
			if err != nil {
				return nil, err
			}
			if err := env.callSecretKey(u, k.ID, in.Called); err != nil {
				return nil, err
			}
			out, err := env.oracleSecretKey(&k.AccessKey)
			if err == nil {
				out.Plain = k.Plain
			}
			return out, err
		})
	},
}

// ListCustomerSecretKeys lists a user's access keys.
var ListCustomerSecretKeys = Op[Matching, []OracleSecretKey]{
	Name:   "ListCustomerSecretKeys",
	Grants: Names{AWS: "iam:ListAccessKeys", OCI: "ListCustomerSecretKeys"},
	Target: func(env *Env, in Matching) (Target, error) { return env.oracleUserTarget(in.ID, true) },
	Do: func(env *Env, in Matching) (out []OracleSecretKey, err error) {
		u, err := env.oracleUserOf(in.ID)
		if err != nil {
			return nil, err
		}
		keys, err := env.Tx.Keys(u.Account, u.ID, "", 100)
		for i := 0; i < len(keys) && err == nil; i++ {
			var k *OracleSecretKey
			if k, err = env.oracleSecretKey(&keys[i]); err == nil {
				out = append(out, *k)
			}
		}
		return out, err
	},
}

// secretKeyOf reads an access key of a user that is as the client saw it.
func (env *Env) secretKeyOf(in OracleSecretKeyIn) (*iam.User, *OracleSecretKey, error) {
	u, err := env.oracleUserOf(in.User)
	if err != nil {
		return nil, nil, err
	}
	k, err := env.Tx.Key(in.ID)
	if err == nil && (k.Account != u.Account || k.User != u.ID) {
		err = fault.Of(fault.NotFound, "access key", in.ID)
	}
	if err != nil {
		return nil, nil, err
	}
	out, err := env.oracleSecretKey(k)
	if err == nil {
		err = matches(in.IfMatch, out.ETag)
	}
	return u, out, err
}

// UpdateCustomerSecretKey changes what a user calls an access key.
var UpdateCustomerSecretKey = Op[OracleSecretKeyIn, *OracleSecretKey]{
	Name:   "UpdateCustomerSecretKey",
	Grants: Names{AWS: "iam:UpdateAccessKey", OCI: "UpdateCustomerSecretKey"},
	Mode:   Write,
	Needs:  freshly,
	Target: func(env *Env, in OracleSecretKeyIn) (Target, error) { return env.oracleUserTarget(in.User, true) },
	Record: OracleSecretKeyIn.record,
	Do: func(env *Env, in OracleSecretKeyIn) (*OracleSecretKey, error) {
		u, k, err := env.secretKeyOf(in)
		if err != nil {
			return nil, err
		}
		if err := env.callSecretKey(u, k.ID, in.Called); err != nil {
			return nil, err
		}
		in.IfMatch = ""
		_, k, err = env.secretKeyOf(in)
		return k, err
	},
}

// DeleteCustomerSecretKey deletes an access key.
var DeleteCustomerSecretKey = Op[OracleSecretKeyIn, struct{}]{
	Name:   "DeleteCustomerSecretKey",
	Grants: Names{AWS: "iam:DeleteAccessKey", OCI: "DeleteCustomerSecretKey"},
	Mode:   Write,
	Needs:  freshly,
	Target: func(env *Env, in OracleSecretKeyIn) (Target, error) { return env.oracleUserTarget(in.User, true) },
	Record: OracleSecretKeyIn.record,
	Do: func(env *Env, in OracleSecretKeyIn) (none struct{}, err error) {
		u, k, err := env.secretKeyOf(in)
		if err != nil {
			return none, err
		}
		if err := env.Tx.DeleteKey(u.Account, u.ID, k.ID); err != nil {
			return none, err
		}
		n, err := env.Tx.OracleNounAt(u.Account, iam.OracleSecretKeyName, strings.ToLower(k.ID))
		if err == nil {
			err = env.Tx.DeleteOracleNoun(n)
		}
		return none, ignoreMissing(err)
	},
}
