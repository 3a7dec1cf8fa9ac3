package store

import (
	"context"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
)

var errUnbuilt = fault.New(fault.Internal, "store: not built yet")

// Options tunes a store; the zero value is right.
type Options struct {
	Readers int // connections that read; default 4 (SQLite), PostgreSQL: size of the whole pool, default 16
}

type Store struct{}

type Tx struct{}

// Open opens the database that dsn names and brings its schema up to date:
// a path or "sqlite:PATH", "postgres://…", or "memory:" for a throw-away one.
func Open(ctx context.Context, dsn string, o Options) (*Store, error) { return nil, errUnbuilt }

// Close waits for writes under way and closes the database.
func (s *Store) Close() error { return nil }

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return errUnbuilt }

// View runs fn over one snapshot.
func (s *Store) View(ctx context.Context, fn func(*Tx) error) error { return errUnbuilt }

// Update runs fn in a durable transaction.
func (s *Store) Update(ctx context.Context, fn func(*Tx) error) error { return errUnbuilt }

// Record appends events of reads.
func (s *Store) Record(ctx context.Context, events ...audit.Event) error { return errUnbuilt }

// accounts
func (tx *Tx) InsertAccount(a *iam.Account) error                     { return errUnbuilt }
func (tx *Tx) Account(id name.Account) (*iam.Account, error)          { return nil, errUnbuilt }
func (tx *Tx) AccountByAlias(alias string) (*iam.Account, error)      { return nil, errUnbuilt }
func (tx *Tx) Accounts() ([]iam.Account, error)                       { return nil, errUnbuilt }
func (tx *Tx) SetAlias(id name.Account, alias string) error           { return errUnbuilt } // "" removes
func (tx *Tx) SetPasswordPolicy(id name.Account, policy string) error { return errUnbuilt }
func (tx *Tx) Revision(id name.Account) (int64, error)                { return 0, errUnbuilt }
func (tx *Tx) BumpRevision(id name.Account) error                     { return errUnbuilt }
func (tx *Tx) Counts(id name.Account) (Counts, error)                 { return Counts{}, errUnbuilt }

// users. Lists are ordered by name without case; after is the last name of the page before.
func (tx *Tx) InsertUser(u *iam.User) error                                   { return errUnbuilt }
func (tx *Tx) UserByID(a name.Account, id name.ID) (*iam.User, error)         { return nil, errUnbuilt }
func (tx *Tx) UserByName(a name.Account, user string) (*iam.User, error)      { return nil, errUnbuilt }
func (tx *Tx) RootUser(a name.Account) (*iam.User, error)                     { return nil, errUnbuilt }
func (tx *Tx) UserByRootEmail(email string) (*iam.User, error)                { return nil, errUnbuilt }
func (tx *Tx) UpdateUser(u *iam.User) error                                   { return errUnbuilt }
func (tx *Tx) SetPasswordUsed(a name.Account, id name.ID, at time.Time) error { return errUnbuilt }
func (tx *Tx) DeleteUser(a name.Account, id name.ID) error                    { return errUnbuilt }
func (tx *Tx) Users(a name.Account, pathPrefix, after string, limit int) ([]iam.User, error) {
	return nil, errUnbuilt
}
func (tx *Tx) UserCount(a name.Account) (int, error) { return 0, errUnbuilt }

// groups
func (tx *Tx) InsertGroup(g *iam.Group) error                               { return errUnbuilt }
func (tx *Tx) GroupByID(a name.Account, id name.ID) (*iam.Group, error)     { return nil, errUnbuilt }
func (tx *Tx) GroupByName(a name.Account, group string) (*iam.Group, error) { return nil, errUnbuilt }
func (tx *Tx) UpdateGroup(g *iam.Group) error                               { return errUnbuilt }
func (tx *Tx) DeleteGroup(a name.Account, id name.ID) error                 { return errUnbuilt }
func (tx *Tx) Groups(a name.Account, pathPrefix, after string, limit int) ([]iam.Group, error) {
	return nil, errUnbuilt
}
func (tx *Tx) GroupCount(a name.Account) (int, error) { return 0, errUnbuilt }
func (tx *Tx) AddMember(a name.Account, group, user name.ID) (changed bool, err error) {
	return false, errUnbuilt
}
func (tx *Tx) RemoveMember(a name.Account, group, user name.ID) (changed bool, err error) {
	return false, errUnbuilt
}
func (tx *Tx) GroupsOf(a name.Account, user name.ID, after string, limit int) ([]iam.Group, error) {
	return nil, errUnbuilt
}
func (tx *Tx) Members(a name.Account, group name.ID, after string, limit int) ([]iam.User, error) {
	return nil, errUnbuilt
}
func (tx *Tx) GroupsOfCount(a name.Account, user name.ID) (int, error) { return 0, errUnbuilt }
func (tx *Tx) MemberCount(a name.Account, group name.ID) (int, error)  { return 0, errUnbuilt }

// roles
func (tx *Tx) InsertRole(r *iam.Role) error                              { return errUnbuilt }
func (tx *Tx) RoleByID(a name.Account, id name.ID) (*iam.Role, error)    { return nil, errUnbuilt }
func (tx *Tx) RoleByName(a name.Account, role string) (*iam.Role, error) { return nil, errUnbuilt }
func (tx *Tx) UpdateRole(r *iam.Role) error                              { return errUnbuilt }
func (tx *Tx) DeleteRole(a name.Account, id name.ID) error               { return errUnbuilt }
func (tx *Tx) Roles(a name.Account, pathPrefix, after string, limit int) ([]iam.Role, error) {
	return nil, errUnbuilt
}
func (tx *Tx) RoleCount(a name.Account) (int, error) { return 0, errUnbuilt }
func (tx *Tx) SetRoleUsed(a name.Account, id name.ID, at time.Time, region string) error {
	return errUnbuilt
}

// managed policies. Reading by id answers the account's own and the vendor's (account 0).
func (tx *Tx) InsertPolicy(p *iam.Policy, document string) error { return errUnbuilt } // version p.Default is its first text
func (tx *Tx) PolicyByID(a name.Account, id name.ID) (*iam.Policy, error) {
	return nil, errUnbuilt
}
func (tx *Tx) PolicyByPathName(owner name.Account, path, policy string) (*iam.Policy, error) {
	return nil, errUnbuilt
}
func (tx *Tx) PolicyByName(owner name.Account, policy string) (*iam.Policy, error) {
	return nil, errUnbuilt
}
func (tx *Tx) UpdatePolicy(p *iam.Policy) error              { return errUnbuilt } // description, tags, updated
func (tx *Tx) DeletePolicy(a name.Account, id name.ID) error { return errUnbuilt } // Conflict while attached or bounding; its versions go along
func (tx *Tx) Policies(f PolicyFilter) ([]PolicyUse, error)  { return nil, errUnbuilt }
func (tx *Tx) PolicyUses(a name.Account, id name.ID) (attached, bounding int, err error) {
	return 0, 0, errUnbuilt
}
func (tx *Tx) PolicyCount(owner name.Account) (int, error)              { return 0, errUnbuilt }
func (tx *Tx) InsertVersion(a name.Account, v *iam.PolicyVersion) error { return errUnbuilt } // raises Latest; not the default
func (tx *Tx) Version(a name.Account, policy name.ID, number int) (*iam.PolicyVersion, error) {
	return nil, errUnbuilt
}
func (tx *Tx) Versions(a name.Account, policy name.ID, after, limit int) ([]iam.PolicyVersion, error) { // newest first; after = number of the last, 0 = begin
	return nil, errUnbuilt
}
func (tx *Tx) SetDefaultVersion(a name.Account, policy name.ID, number int, at time.Time) error {
	return errUnbuilt
}
func (tx *Tx) DeleteVersion(a name.Account, policy name.ID, number int) error { return errUnbuilt }
func (tx *Tx) VersionCount(a name.Account, policy name.ID) (int, error)       { return 0, errUnbuilt }
func (tx *Tx) SyncVendorPolicies(list []VendorPolicy) error                   { return errUnbuilt }

// attachments
func (tx *Tx) Attach(a name.Account, kind iam.PrincipalKind, principal, policy name.ID) (changed bool, err error) {
	return false, errUnbuilt
}
func (tx *Tx) Detach(a name.Account, kind iam.PrincipalKind, principal, policy name.ID) (changed bool, err error) {
	return false, errUnbuilt
}
func (tx *Tx) AttachedTo(a name.Account, kind iam.PrincipalKind, principal name.ID, pathPrefix string, after After, limit int) ([]iam.Policy, error) {
	return nil, errUnbuilt
}
func (tx *Tx) AttachedCount(a name.Account, kind iam.PrincipalKind, principal name.ID) (int, error) {
	return 0, errUnbuilt
}
func (tx *Tx) EntitiesFor(a name.Account, policy name.ID, kind iam.PrincipalKind, usage Usage, pathPrefix, after string, limit int) ([]Entity, error) {
	return nil, errUnbuilt
}

// inline policies
func (tx *Tx) PutInline(a name.Account, kind iam.PrincipalKind, p *iam.InlinePolicy) error {
	return errUnbuilt
}
func (tx *Tx) Inline(a name.Account, kind iam.PrincipalKind, principal name.ID, policy string) (*iam.InlinePolicy, error) {
	return nil, errUnbuilt
}
func (tx *Tx) InlineNames(a name.Account, kind iam.PrincipalKind, principal name.ID, after string, limit int) ([]string, error) {
	return nil, errUnbuilt
}
func (tx *Tx) Inlines(a name.Account, kind iam.PrincipalKind, principal name.ID) ([]iam.InlinePolicy, error) {
	return nil, errUnbuilt
}
func (tx *Tx) DeleteInline(a name.Account, kind iam.PrincipalKind, principal name.ID, policy string) error {
	return errUnbuilt
}
func (tx *Tx) InlineSize(a name.Account, kind iam.PrincipalKind, principal name.ID, except string) (int, error) { // characters without white space, of all but the one named
	return 0, errUnbuilt
}

// evaluator
func (tx *Tx) PrincipalPolicies(a name.Account, kind iam.PrincipalKind, id name.ID) (*Grants, error) {
	return nil, errUnbuilt
}

// access keys
func (tx *Tx) InsertKey(k *iam.AccessKey) error      { return errUnbuilt }
func (tx *Tx) Key(id string) (*iam.AccessKey, error) { return nil, errUnbuilt } // of any account: how a caller is found
func (tx *Tx) Keys(a name.Account, user name.ID, after string, limit int) ([]iam.AccessKey, error) {
	return nil, errUnbuilt
}
func (tx *Tx) KeyCount(a name.Account, user name.ID) (int, error) { return 0, errUnbuilt }
func (tx *Tx) UpdateKeyStatus(a name.Account, user name.ID, key string, status iam.KeyStatus) error {
	return errUnbuilt
}
func (tx *Tx) DeleteKey(a name.Account, user name.ID, key string) error { return errUnbuilt }
func (tx *Tx) SetKeyUsed(a name.Account, key string, at time.Time, service, region string) error {
	return errUnbuilt
}

// login profiles
func (tx *Tx) InsertLoginProfile(a name.Account, p *iam.LoginProfile) error { return errUnbuilt }
func (tx *Tx) PutLoginProfile(a name.Account, p *iam.LoginProfile) error    { return errUnbuilt } // inserts or replaces; Created of an existing one stays
func (tx *Tx) LoginProfile(a name.Account, user name.ID) (*iam.LoginProfile, error) {
	return nil, errUnbuilt
}
func (tx *Tx) DeleteLoginProfile(a name.Account, user name.ID) error { return errUnbuilt }
func (tx *Tx) PasswordHistory(a name.Account, user name.ID, n int) ([]string, error) { // newest first, at most 24
	return nil, errUnbuilt
}

// factors
func (tx *Tx) InsertFactor(f *iam.Factor) error                           { return errUnbuilt }
func (tx *Tx) FactorByID(a name.Account, id name.ID) (*iam.Factor, error) { return nil, errUnbuilt }
func (tx *Tx) FactorBySerial(a name.Account, path, factor string) (*iam.Factor, error) {
	return nil, errUnbuilt
}
func (tx *Tx) Factors(a name.Account, user name.ID) ([]iam.Factor, error) { return nil, errUnbuilt } // bound to the user, oldest enabled first
func (tx *Tx) FactorsPage(a name.Account, which Assignment, after After, limit int) ([]FactorUse, error) {
	return nil, errUnbuilt
}
func (tx *Tx) FactorCount(a name.Account, user name.ID) (int, error) { return 0, errUnbuilt } // bound to the user
func (tx *Tx) EnableFactor(a name.Account, id, user name.ID, step int64, drift int, at time.Time) (bool, error) { // false: not pending, expired, or the step was used
	return false, errUnbuilt
}
func (tx *Tx) AcceptStep(a name.Account, id name.ID, step int64, drift int, at time.Time) (bool, error) { // false: step used or budget spent; resets failures
	return false, errUnbuilt
}
func (tx *Tx) ResyncFactor(a name.Account, id name.ID, step int64, drift int, at time.Time) (bool, error) { // false: step used or pair budget spent; resets failures
	return false, errUnbuilt
}
func (tx *Tx) FactorFailed(a name.Account, id name.ID) (failures int, err error) {
	return 0, errUnbuilt
}
func (tx *Tx) UnbindFactor(a name.Account, id name.ID, expires time.Time) error  { return errUnbuilt } // pending again; expires zero = kept for ever
func (tx *Tx) UpdateFactorTags(a name.Account, id name.ID, tags []iam.Tag) error { return errUnbuilt }
func (tx *Tx) DeleteFactor(a name.Account, id name.ID) error                     { return errUnbuilt }
func (tx *Tx) DeleteExpiredFactors(now time.Time, limit int) (int, error)        { return 0, errUnbuilt }

// one-time things
func (tx *Tx) Burn(kind, key string, expires time.Time) (fresh bool, err error) {
	return false, errUnbuilt
}
func (tx *Tx) PurgeBurned(now time.Time, limit int) (int, error) { return 0, errUnbuilt }
func (tx *Tx) InsertToken(t *Token) error                        { return errUnbuilt }
func (tx *Tx) Token(purpose string, hash []byte, now time.Time) (*Token, error) {
	return nil, errUnbuilt
} // looks, does not consume
func (tx *Tx) ConsumeToken(purpose string, hash []byte, now time.Time) (*Token, error) {
	return nil, errUnbuilt
}
func (tx *Tx) DeleteTokens(a name.Account, purpose string) (int, error) { return 0, errUnbuilt }

// data keys and re-sealing
func (tx *Tx) DataKeys() ([]DataKey, error)                               { return nil, errUnbuilt }
func (tx *Tx) InsertDataKey(k *DataKey) error                             { return errUnbuilt } // active: the others are no longer
func (tx *Tx) SetActiveDataKey(id string) error                           { return errUnbuilt }
func (tx *Tx) UpdateDataKeyWrap(id, wrapper string, wrapped []byte) error { return errUnbuilt }
func (tx *Tx) DeleteDataKey(id string) error                              { return errUnbuilt } // Conflict while something is sealed with it
func (tx *Tx) SealedRows(t SealedTable, notKeyID string, limit int) ([]SealedRow, error) {
	return nil, errUnbuilt
}
func (tx *Tx) UpdateSealed(t SealedTable, row SealedRow, sealed []byte) (bool, error) { // compare and set: false when the row changed meanwhile
	return false, errUnbuilt
}

// audit
func (tx *Tx) AppendEvents(events ...audit.Event) error { return errUnbuilt }
func (tx *Tx) Events(q audit.Query, after EventAfter, limit int) ([]audit.Event, error) {
	return nil, errUnbuilt
}

// settings
func (tx *Tx) Meta(key string) (string, error) { return "", errUnbuilt } // "" when unset
func (tx *Tx) SetMeta(key, value string) error { return errUnbuilt }
