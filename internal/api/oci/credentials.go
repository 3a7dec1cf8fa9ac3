package oci

import (
	"net/http"

	"warifu/internal/name"
	"warifu/internal/ops"
)

// apiKey is a public key that a user signs with.
type apiKey struct {
	KeyID          string `json:"keyId"`
	KeyValue       string `json:"keyValue"`
	Fingerprint    string `json:"fingerprint"`
	UserID         string `json:"userId"`
	TimeCreated    stamp  `json:"timeCreated"`
	LifecycleState string `json:"lifecycleState"`
}

func apiKeyOf(k *ops.OracleAPIKey) apiKey {
	return apiKey{k.ID(), k.Key, k.Fingerprint, k.User.OCID(name.OCIUser), stamp(k.Created), active}
}

type uploadIn struct {
	UserID string    `path:"userId"`
	Retry  ops.Retry `retry:""`
	Body   struct {
		Key string `json:"key" required:"true"`
	} `body:""`
}

type deleteKeyIn struct {
	UserID      string `path:"userId"`
	Fingerprint string `path:"fingerprint"`
	IfMatch     string `header:"if-match"`
}

// ofUser is a request for what a user has.
type ofUser struct {
	UserID string `path:"userId"`
}

func (in *ofUser) matching() (ops.Matching, error) {
	id, err := idOf(name.OCIUser, in.UserID)
	return ops.Matching{ID: id}, err
}

// credential are the parts that credentials share.
type credential struct {
	ID             string `json:"id"`
	UserID         string `json:"userId"`
	Description    string `json:"description"`
	TimeCreated    stamp  `json:"timeCreated"`
	TimeExpires    *stamp `json:"timeExpires,omitempty"`
	LifecycleState string `json:"lifecycleState"`
}

func credentialOf(c *ops.OracleCredentialNoun) credential {
	return credential{c.ID.OCID(name.OCICredential), c.User.OCID(name.OCIUser), c.Description, stamp(c.Created), when(c.Expires), active}
}

type authToken struct {
	credential
	Token string `json:"token,omitempty"`
}

func authTokenOf(c *ops.OracleCredentialNoun) authToken {
	return authToken{credentialOf(c), reveal(c.Plain)}
}

type swiftPassword struct {
	ID             string `json:"id"`
	UserID         string `json:"userId"`
	Description    string `json:"description"`
	Password       string `json:"password,omitempty"`
	TimeCreated    stamp  `json:"timeCreated"`
	ExpiresOn      *stamp `json:"expiresOn,omitempty"`
	LifecycleState string `json:"lifecycleState"`
}

func swiftOf(c *ops.OracleCredentialNoun) swiftPassword {
	return swiftPassword{c.ID.OCID(name.OCICredential), c.User.OCID(name.OCIUser), c.Description, reveal(c.Plain), stamp(c.Created), when(c.Expires), active}
}

type smtpCredential struct {
	credential
	Username string `json:"username"`
	Password string `json:"password,omitempty"`
}

func smtpOf(c *ops.OracleCredentialNoun) smtpCredential {
	login, _ := c.Login()
	return smtpCredential{credentialOf(c), login, reveal(c.Plain)}
}

type oauth2Credential struct {
	ID             string            `json:"id"`
	CompartmentID  string            `json:"compartmentId"`
	UserID         string            `json:"userId"`
	Name           string            `json:"name"`
	Description    string            `json:"description"`
	Scopes         []ops.OracleScope `json:"scopes"`
	Password       string            `json:"password,omitempty"`
	TimeCreated    stamp             `json:"timeCreated"`
	ExpiresOn      *stamp            `json:"expiresOn,omitempty"`
	LifecycleState string            `json:"lifecycleState"`
}

func oauth2Of(c *ops.OracleCredentialNoun) oauth2Credential {
	_, scopes := c.Login()
	return oauth2Credential{
		c.ID.OCID(name.OCICredential), c.Account.Tenancy(), c.User.OCID(name.OCIUser), c.Name, c.Description, scopes, reveal(c.Plain),
		stamp(c.Created), when(c.Expires), active,
	}
}

// describedIn is a request that makes a credential with a description.
type describedIn struct {
	UserID string    `path:"userId"`
	Retry  ops.Retry `retry:""`
	Body   struct {
		Description string `json:"description" required:"true"`
	} `body:""`
}

func (in *describedIn) credential() (ops.OracleCredentialIn, error) {
	id, err := idOf(name.OCIUser, in.UserID)
	return ops.OracleCredentialIn{User: id, Text: &in.Body.Description, Retry: in.Retry}, err
}

type oauth2In struct {
	UserID string    `path:"userId"`
	Retry  ops.Retry `retry:""`
	Body   struct {
		Name        string            `json:"name" required:"true"`
		Description string            `json:"description" required:"true"`
		Scopes      []ops.OracleScope `json:"scopes" required:"true"`
	} `body:""`
}

// changeIn is a request about a credential; the name of its id in the path differs.
func changeOf(userID, id, ifMatch string, text *string, scopes []ops.OracleScope) (ops.OracleCredentialIn, error) {
	user, err := idOf(name.OCIUser, userID)
	if err != nil {
		return ops.OracleCredentialIn{}, err
	}
	c, err := idOf(name.OCICredential, id)
	return ops.OracleCredentialIn{User: user, ID: c, Text: text, Scopes: scopes, IfMatch: ifMatch}, err
}

type authTokenIn struct {
	UserID  string `path:"userId"`
	ID      string `path:"authTokenId"`
	IfMatch string `header:"if-match"`
	Body    struct {
		Description *string `json:"description"`
	} `body:""`
}

type swiftIn struct {
	UserID  string `path:"userId"`
	ID      string `path:"swiftPasswordId"`
	IfMatch string `header:"if-match"`
	Body    struct {
		Description *string `json:"description"`
	} `body:""`
}

type smtpIn struct {
	UserID  string `path:"userId"`
	ID      string `path:"smtpCredentialId"`
	IfMatch string `header:"if-match"`
	Body    struct {
		Description *string `json:"description"`
	} `body:""`
}

type oauth2ChangeIn struct {
	UserID  string `path:"userId"`
	ID      string `path:"oauth2ClientCredentialId"`
	IfMatch string `header:"if-match"`
	Body    struct {
		Description *string           `json:"description"`
		Scopes      []ops.OracleScope `json:"scopes"`
	} `body:""`
}

// secretKey is a customer secret key; key is there when it is made.
type secretKey struct {
	ID             string `json:"id"`
	Key            string `json:"key,omitempty"`
	UserID         string `json:"userId"`
	DisplayName    string `json:"displayName"`
	TimeCreated    stamp  `json:"timeCreated"`
	LifecycleState string `json:"lifecycleState"`
}

func secretKeyOf(k *ops.OracleSecretKey) secretKey {
	state := active
	if !k.Active {
		state = "INACTIVE"
	}
	return secretKey{k.ID, reveal(k.Plain), k.User.OCID(name.OCIUser), k.Called, stamp(k.Created), state}
}

func showSecretKey(k *ops.OracleSecretKey, r *reply) secretKey {
	r.etag = k.ETag
	return secretKeyOf(k)
}

type newSecretKeyIn struct {
	UserID string    `path:"userId"`
	Retry  ops.Retry `retry:""`
	Body   struct {
		DisplayName string `json:"displayName" required:"true"`
	} `body:""`
}

type secretKeyIn struct {
	UserID  string `path:"userId"`
	ID      string `path:"customerSecretKeyId"`
	IfMatch string `header:"if-match"`
	Body    struct {
		DisplayName string `json:"displayName"`
	} `body:""`
}

func (in *secretKeyIn) key() (ops.OracleSecretKeyIn, error) {
	id, err := idOf(name.OCIUser, in.UserID)
	return ops.OracleSecretKeyIn{User: id, ID: in.ID, Called: in.Body.DisplayName, IfMatch: in.IfMatch}, err
}

// shown makes the answer of one credential.
func shown[A any](one func(*ops.OracleCredentialNoun) A) func(*ops.OracleCredentialNoun, *reply) A {
	return func(c *ops.OracleCredentialNoun, r *reply) A {
		r.etag = c.ETag
		return one(c)
	}
}

func listed[T, A any](one func(*T) A) func([]T, *reply) []A {
	return func(all []T, _ *reply) []A { return each(all, one) }
}

func credentialBindings() []binding {
	const u = "/users/{userId}/"
	return []binding{
		bind("UploadApiKey", http.MethodPost, u+"apiKeys", ops.UploadAPIKey, func(in *uploadIn) (ops.UploadKeyIn, error) {
			id, err := idOf(name.OCIUser, in.UserID)
			return ops.UploadKeyIn{User: id, Key: in.Body.Key, Retry: in.Retry}, err
		}, func(k *ops.OracleAPIKey, r *reply) apiKey {
			r.etag = k.ETag
			return apiKeyOf(k)
		}),
		bind("ListApiKeys", http.MethodGet, u+"apiKeys", ops.ListAPIKeys, (*ofUser).matching, listed(apiKeyOf)),
		bind("DeleteApiKey", http.MethodDelete, u+"apiKeys/{fingerprint}", ops.DeleteAPIKey, func(in *deleteKeyIn) (ops.DeleteKeyIn, error) {
			id, err := idOf(name.OCIUser, in.UserID)
			return ops.DeleteKeyIn{User: id, Fingerprint: in.Fingerprint, IfMatch: in.IfMatch}, err
		}, nothing[struct{}]),

		bind("CreateAuthToken", http.MethodPost, u+"authTokens", ops.CreateAuthToken, (*describedIn).credential, shown(authTokenOf)),
		bind("ListAuthTokens", http.MethodGet, u+"authTokens", ops.ListAuthTokens, (*ofUser).matching, listed(authTokenOf)),
		bind("UpdateAuthToken", http.MethodPut, u+"authTokens/{authTokenId}", ops.UpdateAuthToken, func(in *authTokenIn) (ops.OracleCredentialIn, error) {
			return changeOf(in.UserID, in.ID, in.IfMatch, in.Body.Description, nil)
		}, shown(authTokenOf)),
		bind("DeleteAuthToken", http.MethodDelete, u+"authTokens/{authTokenId}", ops.DeleteAuthToken, func(in *authTokenIn) (ops.OracleCredentialIn, error) {
			return changeOf(in.UserID, in.ID, in.IfMatch, nil, nil)
		}, nothing[struct{}]),

		bind("CreateSwiftPassword", http.MethodPost, u+"swiftPasswords", ops.CreateSwiftPassword, (*describedIn).credential, shown(swiftOf)),
		bind("ListSwiftPasswords", http.MethodGet, u+"swiftPasswords", ops.ListSwiftPasswords, (*ofUser).matching, listed(swiftOf)),
		bind("UpdateSwiftPassword", http.MethodPut, u+"swiftPasswords/{swiftPasswordId}", ops.UpdateSwiftPassword, func(in *swiftIn) (ops.OracleCredentialIn, error) {
			return changeOf(in.UserID, in.ID, in.IfMatch, in.Body.Description, nil)
		}, shown(swiftOf)),
		bind("DeleteSwiftPassword", http.MethodDelete, u+"swiftPasswords/{swiftPasswordId}", ops.DeleteSwiftPassword, func(in *swiftIn) (ops.OracleCredentialIn, error) {
			return changeOf(in.UserID, in.ID, in.IfMatch, nil, nil)
		}, nothing[struct{}]),

		bind("CreateSmtpCredential", http.MethodPost, u+"smtpCredentials", ops.CreateSMTPCredential, (*describedIn).credential, shown(smtpOf)),
		bind("ListSmtpCredentials", http.MethodGet, u+"smtpCredentials", ops.ListSMTPCredentials, (*ofUser).matching, listed(smtpOf)),
		bind("UpdateSmtpCredential", http.MethodPut, u+"smtpCredentials/{smtpCredentialId}", ops.UpdateSMTPCredential, func(in *smtpIn) (ops.OracleCredentialIn, error) {
			return changeOf(in.UserID, in.ID, in.IfMatch, in.Body.Description, nil)
		}, shown(smtpOf)),
		bind("DeleteSmtpCredential", http.MethodDelete, u+"smtpCredentials/{smtpCredentialId}", ops.DeleteSMTPCredential, func(in *smtpIn) (ops.OracleCredentialIn, error) {
			return changeOf(in.UserID, in.ID, in.IfMatch, nil, nil)
		}, nothing[struct{}]),

		bind("CreateOAuthClientCredential", http.MethodPost, u+"oauth2ClientCredentials", ops.CreateOAuthClientCredential, func(in *oauth2In) (ops.OracleCredentialIn, error) {
			id, err := idOf(name.OCIUser, in.UserID)
			return ops.OracleCredentialIn{User: id, Name: in.Body.Name, Text: &in.Body.Description, Scopes: in.Body.Scopes, Retry: in.Retry}, err
		}, shown(oauth2Of)),
		bind("ListOAuthClientCredentials", http.MethodGet, u+"oauth2ClientCredentials", ops.ListOAuthClientCredentials, (*ofUser).matching, listed(oauth2Of)),
		bind("UpdateOAuthClientCredential", http.MethodPut, u+"oauth2ClientCredentials/{oauth2ClientCredentialId}", ops.UpdateOAuthClientCredential, func(in *oauth2ChangeIn) (ops.OracleCredentialIn, error) {
			return changeOf(in.UserID, in.ID, in.IfMatch, in.Body.Description, in.Body.Scopes)
		}, shown(oauth2Of)),
		bind("DeleteOAuthClientCredential", http.MethodDelete, u+"oauth2ClientCredentials/{oauth2ClientCredentialId}", ops.DeleteOAuthClientCredential, func(in *oauth2ChangeIn) (ops.OracleCredentialIn, error) {
			return changeOf(in.UserID, in.ID, in.IfMatch, nil, nil)
		}, nothing[struct{}]),

		bind("CreateCustomerSecretKey", http.MethodPost, u+"customerSecretKeys", ops.CreateCustomerSecretKey, func(in *newSecretKeyIn) (ops.OracleSecretKeyIn, error) {
			id, err := idOf(name.OCIUser, in.UserID)
			return ops.OracleSecretKeyIn{User: id, Called: in.Body.DisplayName, Retry: in.Retry}, err
		}, showSecretKey),
		bind("ListCustomerSecretKeys", http.MethodGet, u+"customerSecretKeys", ops.ListCustomerSecretKeys, (*ofUser).matching, listed(secretKeyOf)),
		bind("UpdateCustomerSecretKey", http.MethodPut, u+"customerSecretKeys/{customerSecretKeyId}", ops.UpdateCustomerSecretKey, (*secretKeyIn).key, showSecretKey),
		bind("DeleteCustomerSecretKey", http.MethodDelete, u+"customerSecretKeys/{customerSecretKeyId}", ops.DeleteCustomerSecretKey, (*secretKeyIn).key, nothing[struct{}]),
	}
}
