package oci

import (
	"net/http"

	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/page"
	"warifu/internal/seal"
)

// user is a user in an answer.
type user struct {
	ID             string       `json:"id"`
	CompartmentID  string       `json:"compartmentId"`
	Name           string       `json:"name"`
	Description    string       `json:"description"`
	Email          string       `json:"email,omitempty"`
	EmailVerified  *bool        `json:"emailVerified,omitempty"`
	DBUserName     string       `json:"dbUserName,omitempty"`
	TimeCreated    stamp        `json:"timeCreated"`
	LifecycleState string       `json:"lifecycleState"`
	InactiveStatus *int         `json:"inactiveStatus,omitempty"`
	IsMfaActivated bool         `json:"isMfaActivated"`
	Capabilities   capabilities `json:"capabilities"`
	LastSignIn     *stamp       `json:"lastSuccessfulLoginTime,omitempty"`
	tags
}

// capabilities are spelled in answers with Db, and in requests with DB.
type capabilities struct {
	Password   bool `json:"canUseConsolePassword"`
	APIKeys    bool `json:"canUseApiKeys"`
	AuthTokens bool `json:"canUseAuthTokens"`
	SMTP       bool `json:"canUseSmtpCredentials"`
	DB         bool `json:"canUseDbCredentials"`
	SecretKeys bool `json:"canUseCustomerSecretKeys"`
	OAuth2     bool `json:"canUseOAuth2ClientCredentials"`
}

// blocked is the bit of inactiveStatus that says so.
const blocked = 4

func userOf(u *ops.OracleUser) user {
	description := u.Extras.Description
	if description == "" {
		description = u.User.Name // it must be there; a user of another cloud has none
	}
	out := user{
		ID: u.User.ID.OCID(name.OCIUser), CompartmentID: u.User.Account.Tenancy(), Name: u.User.Name, Description: description,
		Email: u.Extras.Email, DBUserName: u.Extras.DBName, TimeCreated: stamp(u.User.Created), LifecycleState: u.State(),
		IsMfaActivated: u.MFA, Capabilities: capabilities(u.Capabilities()), LastSignIn: when(u.User.PasswordUsed), tags: tagsOf(u.Extras.Tags),
	}
	if u.Extras.Email != "" {
		out.EmailVerified = new(bool) // nobody verifies it here
	}
	if u.Blocked {
		status := blocked
		out.InactiveStatus = &status
	}
	return out
}

func showUser(u *ops.OracleUser, r *reply) user {
	r.etag = u.ETag
	return userOf(u)
}

// userIn is a request about a user.
type userIn struct {
	UserID  string `path:"userId"`
	IfMatch string `header:"if-match"`
}

func (in *userIn) matching() (ops.Matching, error) {
	return matched(name.OCIUser, in.UserID, in.IfMatch)
}

// listIn is a request for a list of the tenancy's nouns.
type listIn struct {
	CompartmentID  string `query:"compartmentId" required:"true"`
	Page           string `query:"page"`
	Limit          int    `query:"limit"`
	Name           string `query:"name"`
	SortBy         string `query:"sortBy"`
	SortOrder      string `query:"sortOrder"`
	LifecycleState string `query:"lifecycleState"`
}

func (in *listIn) list() (ops.OracleListIn, error) {
	l, err := paging(in.Name, in.LifecycleState, in.SortBy, in.SortOrder, in.Limit, in.Page)
	return ops.OracleListIn{Compartment: in.CompartmentID, OracleList: l}, err
}

type listUsersIn struct {
	CompartmentID      string `query:"compartmentId" required:"true"`
	Page               string `query:"page"`
	Limit              int    `query:"limit"`
	Name               string `query:"name"`
	SortBy             string `query:"sortBy"`
	SortOrder          string `query:"sortOrder"`
	LifecycleState     string `query:"lifecycleState"`
	IdentityProviderID string `query:"identityProviderId"`
	ExternalIdentifier string `query:"externalIdentifier"`
}

func (in *listUsersIn) list() (ops.OracleListIn, error) {
	if in.IdentityProviderID != "" || in.ExternalIdentifier != "" {
		return ops.OracleListIn{}, invalidParameter("identityProviderId and externalIdentifier select users of identity providers, of which there are none")
	}
	l := listIn{in.CompartmentID, in.Page, in.Limit, in.Name, in.SortBy, in.SortOrder, in.LifecycleState}
	return l.list()
}

type createUserIn struct {
	Retry ops.Retry `retry:""`
	Body  struct {
		CompartmentID string `json:"compartmentId" required:"true"`
		Name          string `json:"name" required:"true"`
		Email         string `json:"email"`
		described
	} `body:""`
}

type updateUserIn struct {
	UserID  string `path:"userId"`
	IfMatch string `header:"if-match"`
	Body    struct {
		Email      *string `json:"email"`
		DBUserName *string `json:"dbUserName"`
		described
	} `body:""`
}

type stateIn struct {
	UserID  string `path:"userId"`
	IfMatch string `header:"if-match"`
	Body    struct {
		Blocked *bool `json:"blocked"`
	} `body:""`
}

type capabilitiesIn struct {
	UserID  string `path:"userId"`
	IfMatch string `header:"if-match"`
	Body    struct {
		Password   *bool `json:"canUseConsolePassword"`
		APIKeys    *bool `json:"canUseApiKeys"`
		AuthTokens *bool `json:"canUseAuthTokens"`
		SMTP       *bool `json:"canUseSmtpCredentials"`
		DB         *bool `json:"canUseDBCredentials"`
		SecretKeys *bool `json:"canUseCustomerSecretKeys"`
		OAuth2     *bool `json:"canUseOAuth2ClientCredentials"`
	} `body:""`
}

// userRetryIn is a request that makes something of a user, and has no body.
type userRetryIn struct {
	UserID string    `path:"userId"`
	Retry  ops.Retry `retry:""`
}

func (in *userRetryIn) user() (ops.OracleUserIn, error) {
	id, err := idOf(name.OCIUser, in.UserID)
	return ops.OracleUserIn{User: id, Retry: in.Retry}, err
}

// password is a one-time password of the console.
type password struct {
	Password       string `json:"password"`
	UserID         string `json:"userId"`
	TimeCreated    stamp  `json:"timeCreated"`
	LifecycleState string `json:"lifecycleState"`
}

type passwordInformation struct {
	UserID         string `json:"userId"`
	TimeCreated    stamp  `json:"timeCreated"`
	LifecycleState string `json:"lifecycleState"`
}

const active = "ACTIVE"

func userBindings() []binding {
	return []binding{
		bind("ListUsers", http.MethodGet, "/users", ops.OracleListUsers, (*listUsersIn).list, func(p page.Page[ops.OracleUser], r *reply) []user {
			r.next = string(p.Next)
			return each(p.Items, userOf)
		}),
		bind("CreateUser", http.MethodPost, "/users", ops.OracleCreateUser, func(in *createUserIn) (ops.OracleCreateUserIn, error) {
			b := &in.Body
			return ops.OracleCreateUserIn{Compartment: b.CompartmentID, Name: b.Name, Email: b.Email, Described: b.parts(), Retry: in.Retry}, nil
		}, showUser),
		bind("GetUser", http.MethodGet, "/users/{userId}", ops.OracleGetUser, (*userIn).matching, showUser),
		bind("UpdateUser", http.MethodPut, "/users/{userId}", ops.OracleUpdateUser, func(in *updateUserIn) (ops.OracleUpdateUserIn, error) {
			m, err := matched(name.OCIUser, in.UserID, in.IfMatch)
			return ops.OracleUpdateUserIn{Matching: m, Email: in.Body.Email, DBName: in.Body.DBUserName, Described: in.Body.parts()}, err
		}, showUser),
		bind("DeleteUser", http.MethodDelete, "/users/{userId}", ops.OracleDeleteUser, (*userIn).matching, nothing[struct{}]),
		bind("UpdateUserState", http.MethodPut, "/users/{userId}/state", ops.UpdateUserState, func(in *stateIn) (ops.OracleStateIn, error) {
			m, err := matched(name.OCIUser, in.UserID, in.IfMatch)
			return ops.OracleStateIn{Matching: m, Blocked: in.Body.Blocked}, err
		}, showUser),
		bind("UpdateUserCapabilities", http.MethodPut, "/users/{userId}/capabilities", ops.UpdateUserCapabilities, func(in *capabilitiesIn) (ops.OracleCapabilitiesIn, error) {
			m, err := matched(name.OCIUser, in.UserID, in.IfMatch)
			b := &in.Body
			return ops.OracleCapabilitiesIn{
				Matching: m, Password: b.Password, APIKeys: b.APIKeys, AuthTokens: b.AuthTokens, SMTP: b.SMTP,
				DB: b.DB, SecretKeys: b.SecretKeys, OAuth2: b.OAuth2,
			}, err
		}, showUser),
		bind("CreateOrResetUIPassword", http.MethodPost, "/users/{userId}/uiPassword", ops.CreateOrResetUIPassword, (*userRetryIn).user, func(p *ops.OraclePassword, r *reply) password {
			r.etag = p.ETag
			return password{reveal(p.Plain), p.User.OCID(name.OCIUser), stamp(p.Created), active}
		}),
		bind("GetUserUIPasswordInformation", http.MethodGet, "/users/{userId}/uiPassword", ops.GetUserUIPasswordInformation, (*userIn).matching, func(p *ops.OraclePassword, r *reply) passwordInformation {
			r.etag = p.ETag
			return passwordInformation{p.User.OCID(name.OCIUser), stamp(p.Created), active}
		}),
	}
}

// reveal is a secret at the one moment when it is shown.
func reveal(s seal.Secret) string { return string(s.Reveal()) }
