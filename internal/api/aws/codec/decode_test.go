package codec

import (
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func decode[T any](t testing.TB, quote bool, body string) (T, error) {
	t.Helper()
	d, err := NewDecoder[T](quote)
	if err != nil {
		t.Fatal(err)
	}
	f, err := ParseForm("", body)
	if err != nil {
		t.Fatal(err)
	}
	return d.Decode(f)
}

func TestDecodeEachKind(t *testing.T) {
	got, err := decode[everythingIn](t, false, "Text=a+b%C3%A9&Flag=true&Count=-7&When=2026-01-02T03:04:05%2B01:00&Blob=aGVsbG8%3D"+
		"&Lists.member.2.Names.member.1=second&Lists.member.1.Names.member.2=y&Lists.member.1.Names.member.1=x&Lists.member.10.Names.member.1=tenth"+
		"&Map.entry.1.key=k&Map.entry.1.value=v&Map.entry.2.key=&Map.entry.2.value=&Struct.Inner=i&Unknown=1&Text=late&Lists.member.x=bad&Lists.member.01.Names.member.1=bad")
	if err != nil {
		t.Fatal(err)
	}
	yes, when := true, time.Date(2026, 1, 2, 2, 4, 5, 0, time.UTC)
	want := everythingIn{Text: "a bé", Flag: &yes, Count: -7, When: &when, Blob: []byte("hello"),
		Lists:  []struct{ Names []string }{{[]string{"x", "y"}}, {[]string{"second"}}, {[]string{"tenth"}}},
		Map:    map[string]string{"k": "v", "": ""},
		Struct: &struct{ Inner string }{"i"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestAbsentAndEmpty(t *testing.T) {
	in, err := decode[createUserIn](t, false, "UserName=alice")
	if err != nil || in.Path != nil || in.Tags != nil {
		t.Errorf("absent: %+v, %v", in, err)
	}
	if in, err := decode[untagIn](t, false, "TagKeys="); err != nil || in.TagKeys == nil || len(in.TagKeys) != 0 {
		t.Errorf("an empty list, as clients send it: %#v, %v", in, err)
	}
}

func TestFirstParameterWins(t *testing.T) {
	f, err := ParseForm("Action=GetUser&A=query", "A=body&Action=DeleteUser&&=x")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"Action": "GetUser", "A": "query", "": "x"} {
		if got, ok := f.Get(name); !ok || got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
	if _, ok := f.Get("action"); ok {
		t.Error("names must be case-sensitive")
	}
}

// TestConstraintMessages holds the sentences that were recorded from AWS, letter
// by letter, and those that follow from them.
func TestConstraintMessages(t *testing.T) {
	long := func(n int) string { return strings.Repeat("a", n) }
	iam := func(decoded any, err error) error { return err }
	const one = "1 validation error detected: "
	const eachTagKey = "Value at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+, Member must not be null]"
	manyTags := ""
	for i := range 51 {
		n := strconv.Itoa(i + 1)
		manyTags += "&Tags.member." + n + ".Key=k" + n + "&Tags.member." + n + ".Value=v"
	}
	cases := []struct {
		name string
		err  error
		want string
	}{
		{"path too long", iam(decode[createUserIn](t, false, "UserName=a&Path=/"+long(511)+"/")),
			one + "Value at 'path' failed to satisfy constraint: Member must have length less than or equal to 512"},
		{"path", iam(decode[createUserIn](t, false, "UserName=a&Path=x")),
			"The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters."},
		{"name", iam(decode[createUserIn](t, false, "UserName=a/b")),
			"The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"},
		{"name missing", iam(decode[createUserIn](t, false, "")),
			one + "Value null at 'userName' failed to satisfy constraint: Member must not be null"},
		{"name empty", iam(decode[createUserIn](t, false, "UserName=")),
			one + "Value at 'userName' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"tag key", iam(decode[createUserIn](t, false, "UserName=a&Tags.member.1.Key="+long(129)+"&Tags.member.1.Value=v")),
			one + "Value at 'tags.1.member.key' failed to satisfy constraint: Member must have length less than or equal to 128"},
		{"second tag value", iam(decode[createUserIn](t, false, "UserName=a&Tags.member.1.Key=a&Tags.member.1.Value=&Tags.member.2.Key=b&Tags.member.2.Value="+long(257))),
			one + "Value at 'tags.2.member.value' failed to satisfy constraint: Member must have length less than or equal to 256"},
		{"tag key's characters", iam(decode[createUserIn](t, false, "UserName=a&Tags.member.1.Key=%3F&Tags.member.1.Value=v")),
			one + "Value at 'tags.1.member.key' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+"},
		{"tag without value", iam(decode[createUserIn](t, false, "UserName=a&Tags.member.1.Key=k")),
			one + "Value null at 'tags.1.member.value' failed to satisfy constraint: Member must not be null"},
		{"too many tags", iam(decode[createUserIn](t, false, "UserName=a"+manyTags)),
			one + "Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50"},
		{"member of a list", iam(decode[untagIn](t, false, "TagKeys.member.1=ok&TagKeys.member.2="+long(129)+"&TagKeys.member.3=%3F")), one + eachTagKey},
		{"three at once", iam(decode[passwordPolicyIn](t, false, "MinimumPasswordLength=129&PasswordReusePrevention=25&MaxPasswordAge=1096")),
			"3 validation errors detected: Value at 'minimumPasswordLength' failed to satisfy constraint: Member must have value less than or equal to 128; Value at 'passwordReusePrevention' failed to satisfy constraint: Member must have value less than or equal to 24; Value at 'maxPasswordAge' failed to satisfy constraint: Member must have value less than or equal to 1095"},
		{"too low", iam(decode[passwordPolicyIn](t, false, "MinimumPasswordLength=5")),
			one + "Value at 'minimumPasswordLength' failed to satisfy constraint: Member must have value greater than or equal to 6"},
		{"status", iam(decode[statusIn](t, false, "Status=active")),
			one + "Value at 'status' failed to satisfy constraint: Member must satisfy enum value set"},
		{"version", iam(decode[statusIn](t, false, "Status=Active&VersionId=v0")),
			one + "Value at 'versionId' failed to satisfy constraint: Member must satisfy regular expression pattern: v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?"},
		{"version, line break", iam(decode[statusIn](t, false, "Status=Active&VersionId=v1%0A")),
			one + "Value at 'versionId' failed to satisfy constraint: Member must satisfy regular expression pattern: v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?"},

		{"STS: name", iam(decode[assumeRoleIn](t, true, "RoleSessionName=Session1:2")),
			one + "Value 'Session1:2' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*"},
		{"STS: name too long", iam(decode[assumeRoleIn](t, true, "RoleSessionName="+strings.Repeat("s", 65))),
			one + "Value '" + strings.Repeat("s", 65) + "' at 'roleSessionName' failed to satisfy constraint: Member must have length less than or equal to 64"},
		{"STS: duration", iam(decode[assumeRoleIn](t, true, "RoleSessionName=ab&DurationSeconds=899")),
			one + "Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900"},
		{"STS: secret", iam(decode[assumeRoleIn](t, true, "RoleSessionName=ab&TokenCode=1234567")),
			one + "Value at 'tokenCode' failed to satisfy constraint: Member must have length less than or equal to 6"},
		{"STS: nested", iam(decode[assumeRoleIn](t, true, "RoleSessionName=ab&PolicyArns.member.1.arn=x")),
			one + "Value 'x' at 'policyArns.1.member.arn' failed to satisfy constraint: Member must have length greater than or equal to 20"},
		{"STS: enum", iam(decode[statusIn](t, true, "Status=x")),
			one + "Value 'x' at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive]"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e, ok := c.err.(*Error)
			if !ok || e.Code != "ValidationError" || e.Status != 400 || e.Message != c.want {
				t.Errorf("got  %v\nwant %s", c.err, c.want)
			}
		})
	}
}

func TestUnreadableValues(t *testing.T) {
	for _, body := range []string{"Flag=yes", "Flag=", "Count=1e3", "Count=9223372036854775808", "Count=+", "When=yesterday", "Blob=!", "Count=%32%30x"} {
		_, err := decode[everythingIn](t, false, body)
		if e, ok := err.(*Error); !ok || e.Code != "MalformedInput" || e.Status != 400 {
			t.Errorf("%s: %v", body, err)
		}
	}
	if _, err := decode[passwordPolicyIn](t, false, "MaxPasswordAge=4294967296"); err == nil {
		t.Error("a number beyond 32 bits wraps around")
	}
}

// TestFormLimits is security checklist A-4 for forms.
func TestFormLimits(t *testing.T) {
	for name, body := range map[string]string{
		"parameters": strings.Repeat("a=b&", MaxParams+1), "escape": "a=%zz", "cut escape": "a=%4", "name's escape": "%=a",
		"invalid UTF-8": "a=%ff", "raw invalid UTF-8": "a=\xff",
	} {
		if _, err := ParseForm("", body); err == nil {
			t.Errorf("%s: accepted", name)
		} else if e, ok := err.(*Error); !ok || e.Status != 400 {
			t.Errorf("%s: %v", name, err)
		}
	}
	in, err := decode[untagIn](t, false, "TagKeys.member.99999999999=a&TagKeys.member.0=b&TagKeys.member.-1=c&TagKeys.member.5=d")
	if err != nil || !cmp.Equal(in.TagKeys, []string{"d"}) {
		t.Errorf("odd indexes: %v, %v", in, err)
	}
}

func TestShapesThatCannotBe(t *testing.T) {
	type recursive struct{ Again []recursive }
	fails := func(name string, err error) {
		if err == nil {
			t.Errorf("%s: compiled", name)
		}
	}
	_, err := NewDecoder[recursive](false)
	fails("recursive", err)
	_, err = NewDecoder[struct{ C chan int }](false)
	fails("channel", err)
	_, err = NewDecoder[struct{ F float64 }](false)
	fails("float", err)
	_, err = NewDecoder[struct {
		A string `aws:",requried"`
	}](false)
	fails("misspelt option", err)
	_, err = NewDecoder[struct {
		A string `pattern:"["`
	}](false)
	fails("pattern", err)
	_, err = NewDecoder[struct {
		A string `len:"5"`
	}](false)
	fails("bounds", err)
	_, err = NewDecoder[struct{ M map[int]string }](false)
	fails("map of numbers", err)
	_, err = NewDecoder[string](false)
	fails("not a struct", err)
	_, err = NewEncoder[struct {
		N int `aws:",urlencoded"`
	}]("Op", "ns")
	fails("urlencoded number", err)
}

// TestMatcherIsRegexp: the class look-up agrees with the regexp it replaces.
func TestMatcherIsRegexp(t *testing.T) {
	for _, pattern := range []string{`[\w+=,.@-]+`, `[\d]*`, `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`, `[\u0009\u000A\u000D\u0020-\u00FF]+`, `[ -~]+`, `[A-Z0-9]+`} {
		fast, err := newMatcher(pattern)
		if err != nil || fast.class == nil {
			t.Fatalf("%s is not seen as a class (%v)", pattern, err)
		}
		slow, err := newMatcher("(?:" + pattern + "){1}|(?:" + pattern + ")")
		if err != nil || slow.re == nil {
			t.Fatalf("%s: %v", pattern, err)
		}
		rapid.Check(t, func(t *rapid.T) {
			s := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ -~]{0,6}`)).Draw(t, "s")
			if fast.match(s) != slow.match(s) {
				t.Fatalf("%s on %q: %v", pattern, s, fast.match(s))
			}
		})
	}
}

// TestDecodeUndoesEncode: what is written as a form comes back.
func TestDecodeUndoesEncode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := everythingIn{Text: rapid.String().Draw(t, "text"), Count: rapid.Int64().Draw(t, "count")}
		form := url.Values{"Text": {want.Text}, "Count": {strconv.FormatInt(want.Count, 10)}}
		for i, names := range rapid.SliceOfN(rapid.SliceOfN(rapid.String(), 1, 12), 0, 12).Draw(t, "lists") {
			for j, name := range names {
				form.Set("Lists.member."+strconv.Itoa(i+1)+".Names.member."+strconv.Itoa(j+1), name)
			}
			want.Lists = append(want.Lists, struct{ Names []string }{names})
		}
		want.Map = rapid.MapOfN(rapid.String(), rapid.String(), 0, 5).Draw(t, "map")
		i := 0
		for k, v := range want.Map {
			i++
			form.Set("Map.entry."+strconv.Itoa(i)+".key", k)
			form.Set("Map.entry."+strconv.Itoa(i)+".value", v)
		}
		d, err := NewDecoder[everythingIn](false)
		if err != nil {
			t.Fatal(err)
		}
		f, err := ParseForm("", form.Encode())
		if err != nil {
			t.Fatal(err)
		}
		got, err := d.Decode(f)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Fatal(err, diff)
		}
	})
}

// FuzzForm: whatever is sent, decoding ends, with a shape or with an *Error; and
// what net/url reads is what we read.
func FuzzForm(f *testing.F) {
	f.Add("", "Action=CreateUser&UserName=a&Tags.member.1.Key=k&Tags.member.1.Value=v")
	f.Add("Text=1", "Lists.member.1.Names.member.1=x&Map.entry.1.key=k&Map.entry.1.value=v&Struct.Inner=&Blob=AA%3D%3D")
	f.Add("Lists.member.=&Lists.=&Lists=", "Lists.member.1=&Struct=&Map=&Map.entry.1=")
	everything, err := NewDecoder[everythingIn](true)
	if err != nil {
		f.Fatal(err)
	}
	create, err := NewDecoder[createUserIn](false)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, query, body string) {
		form, err := ParseForm(query, body)
		if err != nil {
			if _, ok := err.(*Error); !ok {
				t.Fatalf("%#v", err)
			}
			return
		}
		if values, err := url.ParseQuery(query + "&" + body); err == nil {
			for name, v := range values {
				if got, ok := form.Get(name); !ok || got != v[0] {
					t.Fatalf("%q is %q, net/url reads %q", name, got, v[0])
				}
			}
		}
		_, err1 := everything.Decode(form)
		_, err2 := create.Decode(form)
		for _, err := range []error{err1, err2} {
			if _, ok := err.(*Error); err != nil && !ok {
				t.Fatalf("%#v", err)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	body := "Action=CreateUser&Version=2010-05-08&UserName=alice&Path=%2Fteam%2F&Tags.member.1.Key=dept&Tags.member.1.Value=R%2FD"
	d, err := NewDecoder[createUserIn](false)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		f, err := ParseForm("", body)
		if err != nil {
			b.Fatal(err)
		}
		if in, err := d.Decode(f); err != nil || in.UserName != "alice" {
			b.Fatal(in, err)
		}
	}
}
