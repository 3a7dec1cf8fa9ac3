package codec

import "time"

// The shapes of these tests, as a door would write them.

type tag struct {
	Key   string `aws:",required" len:"1,128" pattern:"[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+"`
	Value string `aws:",required" len:"0,256" pattern:"[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*"`
}

type createUserIn struct {
	UserName string  `aws:",required" len:"1,64" pattern:"[\\w+=,.@-]+" says:"It must contain only alphanumeric characters and/or the following: +=,.@_-"`
	Path     *string `len:"1,512" pattern:"(\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)" says:"It must begin and end with / and contain only alphanumeric characters and/or / characters."`
	Tags     []tag   `len:",50"`
}

type untagIn struct {
	TagKeys []string `aws:",required,eachrequired" len:",50" eachlen:"1,128" eachpattern:"[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+"`
}

type passwordPolicyIn struct {
	MinimumPasswordLength   *int32 `range:"6,128"`
	PasswordReusePrevention *int32 `range:"1,24"`
	MaxPasswordAge          *int32 `range:"1,1095"`
	RequireSymbols          bool
}

type assumeRoleIn struct {
	RoleSessionName string `aws:",required" len:"2,64" pattern:"[\\w+=,.@-]*"`
	DurationSeconds *int32 `range:"900,43200"`
	TokenCode       string `aws:",secret" len:"6,6" pattern:"[\\d]*"`
	PolicyArns      []policyArn
}

type policyArn struct {
	ARN string `aws:"arn" len:"20,2048"`
}

type statusIn struct {
	Status    string `aws:",required" enum:"Active Inactive"`
	VersionID string `aws:"VersionId" pattern:"v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?"`
}

type everythingIn struct {
	Text   string
	Flag   *bool
	Count  int64
	When   *time.Time
	Blob   []byte
	Lists  []struct{ Names []string }
	Map    map[string]string
	Struct *struct{ Inner string }
}

type sdkUser struct {
	Path             string
	UserName         string
	UserID           string `aws:"UserId"`
	Arn              string
	CreateDate       time.Time
	PasswordLastUsed *time.Time
	Tags             []tag
}

type listUsersOut struct {
	Users       []sdkUser `aws:",keep"`
	IsTruncated bool
	Marker      string
}

type summaryOut struct {
	SummaryMap map[string]int32 `aws:",keep"`
}

type policyVersionOut struct {
	PolicyVersion struct {
		Document         string `aws:",urlencoded"`
		VersionID        string `aws:"VersionId"`
		IsDefaultVersion bool
		CreateDate       time.Time
	}
}

type virtualDeviceOut struct {
	VirtualMFADevice struct {
		SerialNumber     string
		Base32StringSeed []byte
		QRCodePNG        []byte
	}
}

type nothing struct{}
