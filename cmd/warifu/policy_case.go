package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/policy"
	"warifu/policy/aws"
	"warifu/policy/oci"
	"warifu/policy/ram"
)

// caseFile is a file of cases. What is given at its top is given in each case.
type caseFile struct {
	Given given      `yaml:"given"`
	Cases []testCase `yaml:"cases"`
}

// testCase is one sentence about policies: given these, when somebody does that, then
// it is allowed or not.
type testCase struct {
	Name  string `yaml:"name"`
	Given given  `yaml:"given"`
	When  when   `yaml:"when"`
	Then  then   `yaml:"then"`
}

// given is a caller, what it holds, and what the request carries.
type given struct {
	Account   string            `yaml:"account"`   // of the caller
	User      string            `yaml:"user"`      // or
	Role      string            `yaml:"role"`      // ROLE/SESSION, or
	Service   string            `yaml:"service"`   // such as ec2.amazonaws.com, or
	Root      bool              `yaml:"root"`      // or
	Anonymous bool              `yaml:"anonymous"` // nobody
	Groups    many              `yaml:"groups"`    // of the user, for Oracle's language
	Tags      map[string]string `yaml:"tags"`      // of the caller

	Policies       many   `yaml:"policies"` // files
	Boundary       string `yaml:"boundary"`
	Session        many   `yaml:"session"`
	ResourcePolicy string `yaml:"resource_policy"`
	Owner          string `yaml:"owner"` // account of the resource
	Trust          string `yaml:"trust"` // policy of the role that is assumed
	SCP            many   `yaml:"scp"`   // one level each
	RCP            many   `yaml:"rcp"`

	MFA     *bool          `yaml:"mfa"`     // absent: a long-term access key
	MFAAge  string         `yaml:"mfa_age"` // such as 90m
	Methods many           `yaml:"mfa_methods"`
	Time    string         `yaml:"time"` // of the request; absent: now
	Context map[string]any `yaml:"context"`
}

type when struct {
	Action   many `yaml:"action"`
	Resource many `yaml:"resource"`
}

// then is what must come out: one word for the way that is given, or a word for each
// way.
type then struct {
	want    map[way]string
	Because string // Sid of the statement that must decide
}

// The words of then.
const (
	wantAllow    = "allow"
	wantDeny     = "deny"
	wantExplicit = "explicit deny"
	wantImplicit = "implicit deny"
)

// many is one text or a list of them.
type many []string

func (m *many) UnmarshalYAML(b []byte) error {
	var one string
	if yaml.Unmarshal(b, &one) == nil {
		*m = many{one}
		return nil
	}
	return yaml.Unmarshal(b, (*[]string)(m))
}

func (t *then) UnmarshalYAML(b []byte) error {
	var word string
	if yaml.Unmarshal(b, &word) == nil {
		t.want = map[way]string{"": word}
		return t.check()
	}
	words := map[string]string{}
	if err := yaml.Unmarshal(b, &words); err != nil {
		return errors.New("then is allow, deny, explicit deny or implicit deny; or a word for each of with_mfa, without_mfa and access_key")
	}
	t.want = map[way]string{}
	for k, v := range words {
		switch k {
		case "with_mfa", "without_mfa", "access_key":
			t.want[way(strings.ReplaceAll(k, "_", " "))] = v
		case "is":
			t.want[""] = v
		case "because":
			t.Because = v
		default:
			return fmt.Errorf("then has no %q, but is, with_mfa, without_mfa, access_key and because", k)
		}
	}
	return t.check()
}

func (t *then) check() error {
	if len(t.want) == 0 {
		return errors.New("then says nothing")
	}
	for _, w := range t.want {
		switch w {
		case wantAllow, wantDeny, wantExplicit, wantImplicit:
		default:
			return fmt.Errorf("then is allow, deny, explicit deny or implicit deny, not %q", w)
		}
	}
	return nil
}

// readCases reads a file of cases. Errors begin with the file and, where it is known,
// line and column.
func readCases(file string) ([]testCase, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var f caseFile
	if err := yaml.UnmarshalWithOptions(src, &f, yaml.Strict()); err != nil {
		var at yaml.Error
		if errors.As(err, &at) && at.GetToken() != nil {
			p := at.GetToken().Position
			return nil, fmt.Errorf("%s:%d:%d: %s", file, p.Line, p.Column, at.GetMessage())
		}
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(f.Cases) == 0 {
		return nil, fmt.Errorf("%s: no cases", file)
	}
	for i := range f.Cases {
		c := &f.Cases[i]
		if c.Name == "" {
			c.Name = "case " + strconv.Itoa(i+1)
		}
		c.Name = file + ": " + c.Name
		if len(c.When.Action) == 0 || c.Then.want == nil {
			return nil, fmt.Errorf("%s: a case has when.action and then", c.Name)
		}
		if len(c.When.Resource) == 0 {
			c.When.Resource = many{"*"}
		}
		c.Given.inherit(&f.Given)
		c.Given.from(filepath.Dir(file))
	}
	return f.Cases, nil
}

// inherit adds what is given for all cases. Lists are added, single things replaced.
func (g *given) inherit(all *given) {
	if g.User == "" && g.Role == "" && g.Service == "" && !g.Root && !g.Anonymous {
		g.User, g.Role, g.Service, g.Root, g.Anonymous = all.User, all.Role, all.Service, all.Root, all.Anonymous
	}
	for _, s := range []struct{ to, from *string }{
		{&g.Account, &all.Account}, {&g.Boundary, &all.Boundary}, {&g.ResourcePolicy, &all.ResourcePolicy}, {&g.Owner, &all.Owner},
		{&g.Trust, &all.Trust}, {&g.MFAAge, &all.MFAAge}, {&g.Time, &all.Time},
	} {
		if *s.to == "" {
			*s.to = *s.from
		}
	}
	for _, l := range []struct{ to, from *many }{
		{&g.Policies, &all.Policies}, {&g.Session, &all.Session}, {&g.SCP, &all.SCP}, {&g.RCP, &all.RCP}, {&g.Methods, &all.Methods}, {&g.Groups, &all.Groups},
	} {
		*l.to = append(append(many(nil), *l.from...), *l.to...)
	}
	if g.MFA == nil {
		g.MFA = all.MFA
	}
	g.Tags, g.Context = both(all.Tags, g.Tags), both(all.Context, g.Context)
}

func both[V any](a, b map[string]V) map[string]V {
	out := map[string]V{}
	for _, m := range []map[string]V{a, b} {
		for k, v := range m {
			out[k] = v
		}
	}
	return out
}

// from finds the files of policies where the file of cases is.
func (g *given) from(dir string) {
	find := func(file *string) {
		if *file != "" && !filepath.IsAbs(*file) {
			*file = filepath.Join(dir, *file)
		}
	}
	for _, l := range []many{g.Policies, g.Session, g.SCP, g.RCP} {
		for i := range l {
			find(&l[i])
		}
	}
	find(&g.Boundary)
	find(&g.ResourcePolicy)
	find(&g.Trust)
}

// way is how the caller proved itself.
type way string

const (
	withMFA    way = "with mfa"
	withoutMFA way = "without mfa"
	accessKey  way = "access key"
)

var allWays = []way{withMFA, withoutMFA, accessKey}

func (w way) String() string {
	return map[way]string{withMFA: "with MFA", withoutMFA: "without MFA", accessKey: "with an access key"}[w]
}

// way is the one that is given.
func (g *given) way() way {
	switch {
	case g.MFA == nil:
		return accessKey
	case *g.MFA:
		return withMFA
	}
	return withoutMFA
}

// situation is a case made ready to be asked.
type situation struct {
	language policy.Language // of the policies
	from     string          // the file that they were first read from
	layers   []policy.Layer
	who      policy.Principal
	facts    policy.Map
	age      int64 // of MFA, in seconds
	given    *given
}

func (c *testCase) situation(now time.Time) (*situation, error) {
	g := &c.Given
	s := &situation{given: g, facts: policy.Map{}}
	for _, step := range []func() error{s.readLayers, s.readCaller, func() error { return s.readRequest(now) }} {
		if err := step(); err != nil {
			if c.Name != "" {
				return nil, fmt.Errorf("%s: %w", c.Name, err)
			}
			return nil, err
		}
	}
	return s, nil
}

func (s *situation) add(kind policy.LayerKind, doc aws.Kind, files ...string) error {
	l := policy.Layer{Kind: kind}
	for _, f := range files {
		d, err := readDocument(f, doc)
		if err != nil {
			return err
		}
		if s.from == "" {
			s.language, s.from = d.language, f
		}
		if s.language != d.language {
			return fmt.Errorf("%s is in another language than %s; the policies of a case are in one", f, s.from)
		}
		l.Sets = append(l.Sets, policy.Compile(d.rules(policy.RuleID{Policy: f}), nil))
	}
	if kind == policy.Resource || kind == policy.Trust {
		l.Owner = s.given.Owner
	}
	s.layers = append(s.layers, l)
	return nil
}

// defaultAccount is whose the caller is if nobody says it.
const defaultAccount = "111122223333"

func (s *situation) readLayers() error {
	g := s.given
	if g.Account == "" {
		g.Account = defaultAccount
	}
	if g.Owner == "" {
		g.Owner = g.Account
	}
	for _, f := range g.SCP {
		if err := s.add(policy.Control, aws.ServiceControl, f); err != nil {
			return err
		}
	}
	for _, f := range g.RCP {
		if err := s.add(policy.ResourceControl, aws.ResourceControl, f); err != nil {
			return err
		}
	}
	if err := s.add(policy.Identity, aws.VendorPolicy, g.Policies...); err != nil {
		return err
	}
	for _, l := range []struct {
		kind policy.LayerKind
		doc  aws.Kind
		file string
	}{{policy.Boundary, aws.BoundaryPolicy, g.Boundary}, {policy.Resource, aws.ResourcePolicy, g.ResourcePolicy}, {policy.Trust, aws.TrustPolicy, g.Trust}} {
		if l.file == "" {
			continue
		}
		if err := s.add(l.kind, l.doc, l.file); err != nil {
			return err
		}
	}
	if len(g.Session) > 0 {
		return s.add(policy.Session, aws.SessionPolicy, g.Session...)
	}
	return nil
}

func (s *situation) readCaller() error {
	g := s.given
	s.who.Account = g.Account
	names := &s.who.Names[aws.Language]
	account, ok := name.ParseAccount(g.Account)
	if !ok {
		if account, ok = name.ParseUID(g.Account); !ok {
			return fmt.Errorf("account has 12 digits, or 16 as at Alibaba Cloud, not %q", g.Account)
		}
		s.who.Account = account.String()
	}
	kind := "User"
	switch {
	case g.Anonymous:
		s.who, kind = policy.Principal{}, "Anonymous"
	case g.Service != "":
		s.who = policy.Principal{Kind: policy.Service}
		s.who.Names[aws.Language].Name, s.who.Names[ram.Language].Name = g.Service, g.Service
		s.facts.Set("aws:PrincipalIsAWSService", policy.Bool(true))
		s.facts.Set("aws:PrincipalServiceName", policy.String(g.Service))
		return nil
	case g.Root:
		s.who.Kind, names.Name, kind = policy.Root, name.RootARN(account), "Account"
		s.facts.Set("aws:userid", policy.String(g.Account))
	case g.Role != "":
		role, session, ok := strings.Cut(g.Role, "/")
		if !ok {
			return fmt.Errorf("role is ROLE/SESSION, not %q", g.Role)
		}
		s.who.Kind, names.Name, kind = policy.RoleSession, name.RoleARN(account, "/", role), "AssumedRole"
		names.Session = name.AssumedRoleARN(account, role, session)
	default:
		user := g.User
		if user == "" {
			user = "someone"
		}
		s.who.Kind, names.Name = policy.User, name.UserARN(account, "/", user)
		s.facts.Set("aws:username", policy.String(user[strings.LastIndexByte(user, '/')+1:]))
	}
	s.otherNames(account)
	s.facts.Set("aws:PrincipalType", policy.String(kind))
	if !g.Anonymous {
		s.facts.Set("aws:PrincipalArn", policy.String(names.Name))
		s.facts.Set("aws:PrincipalAccount", policy.String(g.Account))
	}
	for k, v := range g.Tags {
		s.facts.Set("aws:PrincipalTag/"+k, policy.String(v))
	}
	return nil
}

func (s *situation) readRequest(now time.Time) error {
	g := s.given
	if g.Time != "" {
		at, ok := policy.ParseInstant(g.Time)
		if !ok {
			return fmt.Errorf("time is ISO 8601 or seconds since 1970, not %q", g.Time)
		}
		now = time.UnixMicro(int64(at))
	}
	s.facts.Set("aws:CurrentTime", policy.At(now))
	s.facts.Set("aws:EpochTime", policy.Int(now.Unix()))
	s.facts.Set("acs:CurrentTime", policy.At(now))
	for _, unit := range []string{"", ".time-of-day", ".day-of-week", ".day-of-month", ".month-of-year"} {
		s.facts.Set("request.utc-timestamp"+unit, oci.Clock("request.utc-timestamp"+unit, now))
	}
	if g.MFAAge != "" {
		age, err := time.ParseDuration(g.MFAAge)
		if err != nil || age < 0 {
			return fmt.Errorf("mfa_age is a duration such as 90m, not %q", g.MFAAge)
		}
		s.age = int64(age / time.Second)
	}
	for k, v := range g.Context {
		if s.language != oci.Language && !strings.Contains(k, ":") {
			return fmt.Errorf("context %s: a key has a prefix and a colon; write it in quotes within braces", k)
		}
		f, err := factOf(v)
		if err != nil {
			return fmt.Errorf("context %s: %w", k, err)
		}
		s.facts.Set(s.keyOf(k), f)
	}
	return nil
}

// factOf is a context value as YAML has it.
func factOf(v any) (policy.Fact, error) {
	switch v := v.(type) {
	case string:
		if a, err := netip.ParseAddr(v); err == nil {
			return policy.Addr(a), nil
		}
		return policy.String(v), nil
	case []any:
		var list []string
		for _, x := range v {
			f, err := factOf(x)
			if err != nil {
				return f, err
			}
			list = append(list, f.Values()...)
		}
		return policy.Strings(list...), nil
	case nil:
		return policy.Fact{}, errors.New("has no value; leave the key out to say that the request has none")
	case map[string]any:
		return policy.Fact{}, errors.New("is a text, a number, true, false, or a list of them")
	}
	return policy.String(fmt.Sprint(v)), nil
}

// proof is what a way says about MFA; what the context says itself counts more.
func (s *situation) proof(w way) policy.Map {
	m := policy.Map{}
	methods := []string{string(iam.MethodTOTP)}
	if len(s.given.Methods) > 0 {
		methods = s.given.Methods
	}
	if w != withMFA {
		methods = nil
	}
	best := iam.NoFactor
	for _, name := range methods {
		best = max(best, iam.Method(name).Strength())
	}
	if w != accessKey {
		m.Set("aws:MultiFactorAuthPresent", policy.Bool(w == withMFA))
		m.Set("acs:MFAPresent", policy.Bool(w == withMFA))
	}
	if w == withMFA {
		m.Set("aws:MultiFactorAuthAge", policy.Int(s.age))
	}
	m.Set("request.user.mfaTotpVerified", policy.Bool(slices.Contains(methods, string(iam.MethodTOTP))))
	m.Set("warifu:MFAMethods", policy.Strings(methods...))
	m.Set("warifu:MFAStrength", policy.String(best.String()))
	m.Set("warifu:MFAPhishingResistant", policy.Bool(best == iam.PhishingResistant))
	m.Set("warifu:DeviceRemembered", policy.Bool(false))
	return m
}

// explain asks.
func (s *situation) explain(w way, action, resource string) *policy.Trace {
	facts := both(s.proof(w), s.facts)
	if s.language == oci.Language {
		return s.explainOracle(facts, action, resource)
	}
	layers := append([]policy.Layer(nil), s.layers...)
	for i := range layers {
		layers[i].Explicit = layers[i].Kind == policy.Resource && strings.HasPrefix(strings.ToLower(action), "kms:")
	}
	req := policy.Request{Principal: s.who, Context: policy.Map(facts)}
	req.Actions[s.language], req.Resources[s.language] = action, resource
	t := policy.Explain(&req, layers...)
	return &t
}
