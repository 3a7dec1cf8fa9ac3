package codec

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"warifu/internal/reqsig/acs"
)

type tag struct{ Key, Value string }

type named struct {
	UserName string `req:"true" len:"1,8" chars:"A-Za-z0-9._-"`
}

type shape struct {
	Who      named   `flat:"true"`
	Comments *string `len:"0,4"`
	Force    bool
	Enable   *bool
	MaxItems *int `range:"1,100"`
	Seconds  int
	Types    []string `len:"1,5"`
	Tag      []tag
}

func decode(t *testing.T, query string) (shape, error) {
	t.Helper()
	d, err := NewDecoder[shape]()
	if err != nil {
		t.Fatal(err)
	}
	p, err := acs.ParseParams(query, "")
	if err != nil {
		t.Fatal(err)
	}
	return d.Decode(p)
}

func ptr[T any](v T) *T { return &v }

func TestDecode(t *testing.T) {
	a := named{"a"}
	for query, want := range map[string]shape{
		"UserName=a":                                             {Who: a},
		"UserName=a&RegionId=x&SignatureType=":                   {Who: a}, // what is not known is ignored
		"UserName=a&Comments=":                                   {Who: a, Comments: ptr("")},
		"UserName=a&Comments=null":                               {Who: a, Comments: ptr("null")},
		"UserName=a&Enable=null&MaxItems=null&Types=null":        {Who: a},
		"UserName=a&Enable=&MaxItems=&Types=&Tag=":               {Who: a},
		"UserName=a&Force=true&Enable=false":                     {Who: a, Force: true, Enable: ptr(false)},
		"UserName=a&Enable=True":                                 {Who: a, Enable: ptr(true)},
		"UserName=a&MaxItems=100&Seconds=-5":                     {Who: a, MaxItems: ptr(100), Seconds: -5},
		`UserName=a&Types=["sms","email"]`:                       {Who: a, Types: []string{"sms", "email"}},
		`UserName=a&Types=[]`:                                    {Who: a, Types: []string{}},
		"UserName=a&Types.2=sms&Types.1=email&Types.10=x":        {Who: a, Types: []string{"email", "sms", "x"}},
		`UserName=a&Tag=[{"Key":"k","Value":"v"},{"Key":"l"}]`:   {Who: a, Tag: []tag{{"k", "v"}, {"l", ""}}},
		`UserName=a&Tag=[{"key":"k","value":"v"}]`:               {Who: a, Tag: []tag{{"k", "v"}}},
		"UserName=a&Tag.1.Key=k&Tag.1.Value=v&Tag.2.Key=l":       {Who: a, Tag: []tag{{"k", "v"}, {"l", ""}}},
		"UserName=a&Tag=null&Tag.1.Key=k":                        {Who: a, Tag: []tag{{"k", ""}}},
		"UserName=A.b_c-9&Typesetting=x&TagOther.1=y&MaxItems=1": {Who: named{"A.b_c-9"}, MaxItems: ptr(1)},
	} {
		got, err := decode(t, query)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got %+v, %v\nwant %+v", query, got, err, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	for query, code := range map[string]string{
		"":                   "MissingParameter",
		"UserName=":          "MissingParameter",
		"UserName=abcdefghi": "InvalidParameter.UserName.Length",
		"UserName=a%20b":     "InvalidParameter.UserName.InvalidChars",
		"UserName=a%ff":      "InvalidParameter.UserName.InvalidChars",
		"UserName=a&Comments=%E5%89%B2%E5%89%B2%E5%89%B2%E5%89%B2%E5%89%B2": "InvalidParameter.Comments.Length",
		"UserName=a&Force=yes":           "InvalidParameter.Force.Format",
		"UserName=a&Force=1":             "InvalidParameter.Force.Format",
		"UserName=a&MaxItems=0":          "InvalidParameter.MaxItems.Range",
		"UserName=a&MaxItems=101":        "InvalidParameter.MaxItems.Range",
		"UserName=a&MaxItems=1e3":        "InvalidParameter.MaxItems.Format",
		"UserName=a&Seconds=99999999999": "InvalidParameter.Seconds.Format",
		"UserName=a&Types=sms":           "InvalidParameter.Types.Format",
		`UserName=a&Types=[1]`:           "InvalidParameter.Types.Format",
		`UserName=a&Types=["toolong"]`:   "InvalidParameter.Types.Length",
		"UserName=a&Types.x=sms":         "InvalidParameter.Types.Format",
		"UserName=a&Types.-1=sms":        "InvalidParameter.Types.Format",
		"UserName=a&Tag={}":              "InvalidParameter.Tag.Format",
		"UserName=a&Types=[" + strings.TrimSuffix(strings.Repeat(`"a",`, 101), ",") + "]": "InvalidParameter.Types.Length",
	} {
		_, err := decode(t, query)
		var e *Error
		if !errors.As(err, &e) || e.Code != code || !strings.HasPrefix(e.Error(), code+": ") {
			t.Errorf("%s\n got %v, want %s", query, err, code)
		}
	}
	type needs struct {
		Tag []tag `req:"true"`
	}
	d, err := NewDecoder[needs]()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Decode(nil); err == nil || !strings.HasPrefix(err.Error(), "MissingParameter") {
		t.Errorf("a list that must be sent: %v", err)
	}
}

func TestShapesThatCannotBe(t *testing.T) {
	if _, err := NewDecoder[struct{ X float64 }](); err == nil {
		t.Error("a float passes")
	}
	if _, err := NewDecoder[struct {
		X string `len:"x"`
	}](); err == nil {
		t.Error("a length that is none passes")
	}
	if _, err := NewDecoder[struct {
		X int `range:"x"`
	}](); err == nil {
		t.Error("a range that is none passes")
	}
	if _, err := NewDecoder[struct {
		X string `chars:"z-a"`
	}](); err == nil {
		t.Error("a class that is none passes")
	}
	type inner struct{ X float64 }
	if _, err := NewDecoder[struct{ inner }](); err == nil {
		t.Error("a float within passes")
	}
}

type user struct {
	UserName string
	Active   bool
}

type users struct{ User []user }

type answer struct {
	Users users
	Types []string
	Count int
}

func TestAnswers(t *testing.T) {
	full := answer{users{[]user{{"a&b<", true}, {"割", false}}}, []string{"sms"}, 2}
	for _, c := range []struct {
		format Format
		v      any
		want   string
	}{
		{JSON, struct{}{}, `{"RequestId":"id"}`},
		{JSON, answer{}, `{"RequestId":"id","Users":{"User":[]},"Types":[],"Count":0}`},
		{JSON, full, `{"RequestId":"id","Users":{"User":[{"UserName":"a&b<","Active":true},{"UserName":"割","Active":false}]},"Types":["sms"],"Count":2}`},
		{XML, struct{}{}, `<ListUsersResponse><RequestId>id</RequestId></ListUsersResponse>`},
		{XML, full, `<ListUsersResponse><RequestId>id</RequestId><Users><User><UserName>a&amp;b&lt;</UserName><Active>true</Active></User>` +
			`<User><UserName>割</UserName><Active>false</Active></User></Users><Types>sms</Types><Count>2</Count></ListUsersResponse>`},
	} {
		b, err := Answer(c.format, "ListUsers", "id", c.v)
		if got := strings.TrimPrefix(string(b), "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"); err != nil || got != c.want {
			t.Errorf("got %s, %v\nwant %s", got, err, c.want)
		}
	}
	for _, f := range []Format{JSON, XML} {
		if _, err := Answer(f, "x", "id", struct{ C chan int }{make(chan int)}); err == nil {
			t.Error("a channel is written")
		}
	}
}

func TestFailures(t *testing.T) {
	r := Refusal{HostId: "h", Code: "NoPermission", Message: "no", Recommend: "r"}
	b, err := Failure(JSON, "id", &r)
	if want := `{"RequestId":"id","HostId":"h","Code":"NoPermission","Message":"no","Recommend":"r"}`; err != nil || string(b) != want {
		t.Errorf("%s, %v", b, err)
	}
	r.AccessDeniedDetail = &AccessDeniedDetail{AuthAction: "ram:GetUser"}
	b, err = Failure(XML, "id", &r)
	if want := `<Error><RequestId>id</RequestId><HostId>h</HostId><Code>NoPermission</Code>`; err != nil || !strings.Contains(string(b), want) || !strings.Contains(string(b), "<AuthAction>ram:GetUser</AuthAction>") {
		t.Errorf("%s, %v", b, err)
	}
	if JSON.ContentType() != "application/json;charset=utf-8" || XML.ContentType() != "text/xml;charset=utf-8" {
		t.Error("content types")
	}
}

// FuzzDecode: whatever is sent, the answer is a shape or an *Error.
func FuzzDecode(f *testing.F) {
	f.Add(`UserName=a&Types=["x"]&Tag.1.Key=k`)
	d, err := NewDecoder[shape]()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, query string) {
		p, err := acs.ParseParams(query, "")
		if err != nil {
			return
		}
		_, err = d.Decode(p)
		if e := (*Error)(nil); err != nil && !errors.As(err, &e) {
			t.Fatalf("%#v", err)
		}
	})
}
