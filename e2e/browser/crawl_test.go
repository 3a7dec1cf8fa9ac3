package browser

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"warifu/internal/console"
)

// maxAlike is how many pages of one route are opened in search of links: a list
// leads to many that are alike, but not all of them have the same links.
const maxAlike = 4

// unlinked begin the addresses of pages that other tests go through: a command
// line which waits leads to some, and others need an address, a token or a
// passkey, or are files.
var unlinked = []string{
	"/v1/", "/device/confirm", "/security/address/", "/console/users/{name}/address/",
	"/console/tokens/{serial}", "/console/audit/proof", "/console/audit/query/export", "/security/tokens/", "/security/passkeys/{id}/",
}

// Every page that an administrator can reach is looked at, in every language;
// and every page of the route table can be reached, by links alone.
func TestEveryPage(t *testing.T) {
	s := newSite(t)
	s.furnish(t)
	b, phone := s.administrator(t, "en")
	b.send("mika")
	b.visit("/console/users/a-user-with-a-name-that-is-as-long-as-names-may-be-64-characters/block")
	b.fill(b.w("block.reason"), "Left the company").click(b.w("user.block"))

	pages := b.explore(phone)
	pages["/stepup"] = "/stepup" // pages that ask for a fresh proof lead there
	pages["/device"] = "/device" // a command line tells people to go there
	for _, r := range console.Routes() {
		if r.Method == "GET" && r.Who == console.SignedIn && pages[r.Pattern] == "" && !elsewhere(r.Pattern) {
			t.Errorf("no link leads to %s", r.Pattern)
		}
	}
	for _, lang := range languages {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			b := newTab(t, b.ctx, s.base, lang)
			for _, pattern := range slices.Sorted(maps.Keys(pages)) {
				b.visit(pages[pattern])
				if b.answered() != 200 {
					t.Errorf("%s: status %d", pages[pattern], b.answered())
				}
				b.look(pattern)
			}
		})
	}
}

// elsewhere reports whether another test goes through the pages of a route.
func elsewhere(pattern string) bool {
	return slices.ContainsFunc(unlinked, func(begin string) bool { return strings.HasPrefix(pattern, begin) })
}

// explore follows links from the console's first page on and returns an address
// for each route that it came to. Wide tables of similar pages are cut short.
func (b *tab) explore(phone *phone) map[string]string {
	b.t.Helper()
	of := routesOf()
	pages, seen, alike := map[string]string{}, map[string]bool{"/console": true}, map[string]int{}
	for next := []string{"/console"}; len(next) > 0; next = next[1:] {
		pattern := of(next[0])
		if alike[pattern]++; alike[pattern] > maxAlike {
			continue
		}
		b.visit(next[0])
		if strings.HasPrefix(b.path(), "/stepup") {
			b.fill(b.w("signin.code.label"), phone.code()).click(b.w("stepup.do"))
		}
		if b.answered() != 200 {
			b.t.Errorf("a link leads to %s: status %d", next[0], b.answered())
			continue
		}
		if pages[pattern] == "" {
			pages[pattern] = next[0]
		}
		for _, link := range eval[[]string](b, `[...document.querySelectorAll("a[href^='/']:not([download])")].map((a) => a.getAttribute("href").replace(/#.*/, ""))`) {
			if !seen[link] && of(link) != "" {
				seen[link] = true
				next = append(next, link)
			}
		}
	}
	return pages
}

// routesOf tells the route of an address, of those that a signed-in person opens
// with a link; "" for others.
func routesOf() func(string) string {
	mux := http.NewServeMux()
	for _, r := range console.Routes() {
		if r.Method == "GET" && (r.Who == console.SignedIn || r.Pattern == "/console/design") {
			mux.HandleFunc(r.Pattern, http.NotFound)
		}
	}
	return func(address string) string {
		u, err := url.Parse(address)
		if err != nil || !strings.HasPrefix(u.Path, "/") {
			return ""
		}
		_, pattern := mux.Handler(httptest.NewRequest("GET", u.Path, nil))
		return pattern
	}
}

// furnish makes something of everything, so that no list is empty.
func (s *site) furnish(t *testing.T) {
	t.Helper()
	ctx, forceMFA := context.Background(), forceMFA(t)
	check := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	s.user(t, "mika", "ReadOnlyAccess")
	long := strings.Repeat("as-long-as-a-name-may-be_", 6)[:128]
	hostile := "<script>alert(1)</script> \u202eabc \u05e9\u05dc\u05d5\u05dd \U0001f510 {{.}} &amp; %s"
	check(s.iam.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: aws.String(long)}))
	check(s.iam.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String(long), Description: aws.String(strings.Repeat(hostile, 10)), PolicyDocument: aws.String(forceMFA)}))
	check(s.iam.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: aws.String(long), UserName: aws.String("mika")}))
	s.user(t, "a-user-with-a-name-that-is-as-long-as-names-may-be-64-characters")
	check(s.iam.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: aws.String("EC2MFA")}))
	check(s.iam.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: aws.String("EC2MFA"), UserName: aws.String("mika")}))
	check(s.iam.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("mika")}))
	check(s.iam.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("admin")}))
	p, err := s.iam.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("Force_MFA"), PolicyDocument: aws.String(forceMFA)})
	check(p, err)
	check(s.iam.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: p.Policy.Arn, PolicyDocument: aws.String(strings.ReplaceAll(forceMFA, "sts:GetSessionToken", "sts:GetCallerIdentity")), SetAsDefault: true}))
	check(s.iam.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: aws.String("EC2MFA"), PolicyArn: p.Policy.Arn}))
	check(s.iam.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: aws.String("mika"), PolicyName: aws.String("inline"), PolicyDocument: aws.String(forceMFA)}))
	check(s.iam.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: aws.String("EC2MFA"), PolicyName: aws.String("inline"), PolicyDocument: aws.String(forceMFA)}))
	check(s.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("auditor"), Description: aws.String("Looks at everything once a quarter"), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + s.AccountID + `"},"Action":"sts:AssumeRole","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}]}`)}))
	check(s.iam.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: aws.String("auditor"), PolicyArn: aws.String("arn:aws:iam::aws:policy/ReadOnlyAccess")}))
	check(s.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String("auditor"), PolicyName: aws.String("inline"), PolicyDocument: aws.String(forceMFA)}))
	check(s.iam.CreateAccountAlias(ctx, &iam.CreateAccountAliasInput{AccountAlias: aws.String("acme")}))
	check(s.iam.TagUser(ctx, &iam.TagUserInput{UserName: aws.String("mika"), Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("platform")}}}))
}

// forceMFA is the policy of the tutorial.
func forceMFA(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../examples/force-mfa.json")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
