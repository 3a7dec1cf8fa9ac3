package iam

import (
	"time"

	"warifu/internal/name"
)

// OracleKind is a kind of noun that Oracle's door alone knows.
type OracleKind string

// The kinds.
const (
	OracleCompartment   OracleKind = "compartment"
	OraclePolicy        OracleKind = "policy"
	OracleDynamicGroup  OracleKind = "dynamic group"
	OracleNetworkSource OracleKind = "network source"
	OracleAuthToken     OracleKind = "auth token"
	OracleSwift         OracleKind = "swift password" // the older form of an auth token
	OracleSMTP          OracleKind = "smtp credential"
	OracleOAuth2        OracleKind = "oauth2 credential"
	OracleSecretKeyName OracleKind = "secret key name" // what a user calls an access key
	OracleTagNamespace  OracleKind = "tag namespace"
	OracleTag           OracleKind = "tag"         // its parent is its namespace
	OracleTagDefault    OracleKind = "tag default" // of one tag in one compartment
	OracleIDP           OracleKind = "identity provider"
	OracleIDPMapping    OracleKind = "identity provider group mapping" // its parent is its provider
	OracleSignInFrom    OracleKind = "network policy"                  // the one noun of its kind: from where users sign in
)

// OracleTags are the tags of a noun as Oracle has them.
type OracleTags struct {
	Freeform map[string]string         `json:"f,omitempty"`
	Defined  map[string]map[string]any `json:"d,omitempty"`
}

// The states of a noun, spelled as Oracle spells them.
const (
	OracleActive  = "ACTIVE"
	OracleDeleted = "DELETED"
)

// OracleNoun is a noun of Oracle's own.
type OracleNoun struct {
	ID          name.ID
	Account     name.Account
	Kind        OracleKind
	Parent      name.ID // the compartment that it lies in; 0 = the root
	User        name.ID // whose credential it is; 0 for others
	Name        string
	Slot        string // unique among the account's nouns of the kind
	Description string
	State       string
	Body        string // JSON
	Tags        OracleTags
	Created     time.Time
	Changed     time.Time
	Expires     time.Time // zero = never
}

// OracleKey is a public key with which a user signs requests.
type OracleKey struct {
	User        name.ID
	Account     name.Account
	Fingerprint string
	Key         string // PEM, as it was uploaded
	Created     time.Time
}

// OracleExtras are what Oracle keeps of a user or group besides the name.
type OracleExtras struct {
	Description  string
	Email        string
	DBName       string
	Tags         OracleTags
	Capabilities string // JSON; "" = all that users have
}

// OracleRetry is a request that may be sent again, and its answer.
type OracleRetry struct {
	Key     []byte // hash of caller, operation and token
	Account name.Account
	Digest  []byte // of the request
	Answer  []byte // encrypted
	Expires time.Time
}
