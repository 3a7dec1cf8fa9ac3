package gateway_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/reqsig/sigv4"
	"warifu/internal/seal"
	"warifu/internal/testkit"
	"warifu/policy/ram/jobs"
)

const (
	stageWord     = "tall ships sail at dawn"
	stageVerifier = "0123456789abcdef0123456789abcdef0123456789abcdef"
)

// person signs somebody in who got a first password, binding a second factor where
// that is asked, and answers the console's call and the seed.
func (s *stage) person(called string, first seal.Secret) (call ops.Call, seed string) {
	s.Helper()
	w := s.world
	call = ops.Call{Source: ops.Source{Door: "console", IP: netip.MustParseAddr("192.0.2.10"), Secure: true}}
	step := testkit.Do(s, w, call, ops.SignIn, ops.SignInIn{Form: ops.SubmitPassword{Account: "acme", User: called, Password: first}})
	cookie := step.Cookie
	for n := 0; step.Session == nil && n < 6; n++ {
		if !step.Cookie.Empty() {
			cookie = step.Cookie
		}
		in := ops.SignInIn{Flow: cookie}
		switch {
		case step.Device != nil:
			seed = string(step.Device.SeedText.Reveal())
			one := testkit.Code(s, seed, w.Clock.Now())
			w.Clock.Advance(30 * time.Second)
			in.Form = ops.SubmitPair{Code1: one, Code2: testkit.Code(s, seed, w.Clock.Now())}
		default:
			in.Form = ops.SubmitNewPassword{Password: seal.NewSecret([]byte(stageWord))}
		}
		step = testkit.Do(s, w, call, ops.SignIn, in)
	}
	if step.Session == nil {
		s.Fatalf("%s is not signed in: %+v", called, step)
	}
	c, err := w.Session(s.Context(), step.Session.Token, call.Source)
	if err != nil {
		s.Fatal(err)
	}
	call.Caller = c
	return call, seed
}

// commandLine are credentials that somebody in the console gives a command line.
func (s *stage) commandLine(me ops.Call) sigv4.Credentials {
	s.Helper()
	w := s.world
	anybody := ops.Call{Source: ops.Source{Door: "cloudsso", Language: iam.LanguageRAM, IP: netip.MustParseAddr("192.0.2.10")}}
	sum := sha256.Sum256([]byte(stageVerifier))
	d := testkit.Do(s, w, anybody, ops.BeginCloudSSOLogin, ops.BeginCloudSSOLoginIn{Client: ops.ClientCloudSSO, Challenge: base64.RawURLEncoding.EncodeToString(sum[:]), Method: "S256"})
	testkit.Do(s, w, me, ops.AnswerDeviceLogin, ops.AnswerDeviceLoginIn{DeviceCodeIn: ops.DeviceCodeIn{UserCode: d.UserCode}, Approve: true})
	token := testkit.Do(s, w, anybody, ops.RedeemCloudSSOCode, &ops.RedeemCloudSSOCodeIn{Client: ops.ClientCloudSSO, Code: d.Code, Verifier: seal.NewSecret([]byte(stageVerifier))})
	c := testkit.Do(s, w, anybody, ops.CreateCloudSSOCredentials, &ops.CloudSSOIn{Token: token.Token})
	return sigv4.Credentials{AccessKeyID: c.AccessKeyID, Secret: string(c.Secret.Reveal()), Token: c.Token}
}

// Every job function of the templates, as those who have it work: what it is for goes
// through, what it is kept from does not.
func TestJobFunctions(t *testing.T) {
	up := &recorder{respond: func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{"RequestId":"R"}`)) }}
	s := newStage(t, acsService(t, "ecs", up), acsService(t, "vpc", up), acsService(t, "ecs-workbench", up))
	w := s.world
	admin := w.Admin(t)
	apply := func(in ops.ApplyTemplateIn) *ops.AppliedTemplate {
		return testkit.Do(t, w, admin, ops.ApplyTemplate, in)
	}
	const ecs, vpc, workbench = "2014-05-26", "2016-04-28", "2022-02-20"
	type ask struct {
		version, params string
		goes            bool
	}
	check := func(who string, key sigv4.Credentials, asks ...ask) {
		t.Helper()
		for _, a := range asks {
			got := s.acs(key, a.version, a.params)
			if goes := got.status == 200; goes != a.goes || !goes && got.code() != "Forbidden.RAM" {
				t.Errorf("%s, %s: %d %s", who, a.params, got.status, got.body)
			}
		}
	}
	// key is a long-term key that the administrator gives.
	key := func(user string) sigv4.Credentials {
		t.Helper()
		k := testkit.Do(t, w, admin, ops.CreateAccessKey, ops.UserIn{User: ops.Ref{Name: user}})
		return sigv4.Credentials{AccessKeyID: k.ID, Secret: string(k.Plain.Reveal())}
	}

	// The resource administrator manages resources and gives roles, and no users.
	apply(ops.ApplyTemplateIn{Template: jobs.ResourceAdministrator, Users: []string{"rina"}})
	rina := key("rina")
	check("the resource administrator", rina,
		ask{ecs, "Action=RunInstances&ImageId=img-1&VSwitchId=vsw-1&RamRoleName=shop", true},
		ask{ecs, "Action=DeleteInstance&InstanceId=i-1", true},
		ask{vpc, "Action=CreateVSwitch&VpcId=vpc-1", true},
		ask{vpc, "Action=AllocateEipAddress", true},
		ask{workbench, "Action=LoginInstance&InstanceLoginInfo.InstanceId=i-1", false},
	)
	if _, no := ops.AsDenial(testkit.Fails(t, w, w.As(t, rina.AccessKeyID, ""), ops.CreateUser, ops.CreateUserIn{Name: "x"})); !no {
		t.Error("the resource administrator makes users")
	}

	// The O&M engineer looks, signs in and runs commands, but not as root.
	apply(ops.ApplyTemplateIn{Template: jobs.OMEngineer, Users: []string{"osamu"}})
	check("the engineer", key("osamu"),
		ask{ecs, "Action=DescribeInstances", true}, ask{vpc, "Action=DescribeVSwitchAttributes&VSwitchId=vsw-1", true},
		ask{workbench, "Action=LoginInstance&InstanceLoginInfo.InstanceId=i-1", true},
		ask{ecs, "Action=RunCommand&InstanceId.1=i-1&CommandContent=uptime&Username=deploy", true},
		ask{ecs, "Action=RunCommand&InstanceId.1=i-1&CommandContent=uptime&Username=Root", false},
		ask{ecs, "Action=RunCommand&InstanceId.1=i-1&CommandContent=uptime", false}, // root, or system, unless it is said
		ask{ecs, "Action=InvokeCommand&CommandId=c-1&InstanceId.1=i-1&Username=system", false},
		ask{ecs, "Action=StopInstance&InstanceId=i-1", false}, ask{ecs, "Action=AttachDisk&DiskId=d-1&InstanceId=i-1", false},
		ask{ecs, "Action=ModifyNetworkInterfaceAttribute&NetworkInterfaceId=eni-1", false},
	)

	// The application: an account for programs outside, a role for those on ECS.
	app := apply(ops.ApplyTemplateIn{Template: jobs.Application, Users: []string{"shop"}, Role: "shop", Trusted: "acs:ram::" + acsOwner + ":user/shop"})
	s.attachRAM("shop", "shop-reads", `{"Version":"1","Statement":[
		{"Effect":"Allow","Action":"ecs:DescribeInstances","Resource":"*"},{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"acs:ram:*:*:role/shop"}]}`)
	shop := key("shop")
	check("the application's account", shop, ask{ecs, "Action=DescribeInstances", true}, ask{ecs, "Action=StopInstance&InstanceId=i-1", false})
	testkit.Do(t, w, admin, ops.AttachRolePolicy, ops.AttachIn{Holder: ops.Ref{Name: "shop"}, Policy: "arn:aws:iam::acs:policy/AliyunECSReadOnlyAccess"})
	session := testkit.Do(t, w, w.As(t, shop.AccessKeyID, ""), ops.AssumeRole, ops.AssumeRoleIn{RoleARN: app.Role.ARN(), SessionName: "job"})
	check("the application's role", sigv4.Credentials{AccessKeyID: session.AccessKeyID, Secret: string(session.Secret.Reveal()), Token: session.Token},
		ask{ecs, "Action=DescribeDisks", true}, ask{ecs, "Action=DeleteDisk&DiskId=d-1", false})
	// Given a password all the same, it can do nothing in the console.
	testkit.Do(t, w, admin, ops.CreateLoginProfile, ops.CreateLoginProfileIn{User: ops.Ref{Name: "shop"}, Password: seal.NewSecret([]byte(stageWord))})
	s.attachRAM("shop", "shop-all", `{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
	inside, _ := s.person("shop", seal.NewSecret([]byte(stageWord)))
	if _, no := ops.AsDenial(testkit.Fails(t, w, inside, ops.ListUsers, ops.Listing{})); !no {
		t.Error("an application's account works in the console")
	}

	// The account administrator: binds a second factor at the first sign-in, makes users
	// and no keys for its like, and touches no resource.
	made := apply(ops.ApplyTemplateIn{Template: jobs.AccountAdministrator, Users: []string{"yuki", "ken"}, Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
	yuki, seed := s.person("yuki", made.Users[0].Password)
	if seed == "" || !yuki.Caller.MFA.Present {
		t.Error("an account administrator signs in without a second factor")
	}
	testkit.Do(t, w, yuki, ops.CreateUser, ops.CreateUserIn{Name: "newcomer"})
	denied := func(what string, err error) {
		t.Helper()
		if _, no := ops.AsDenial(err); !no {
			t.Errorf("the account administrator %s: %v", what, err)
		}
	}
	for _, user := range []string{"yuki", "ken"} {
		denied("makes a key for "+user, testkit.Fails(t, w, yuki, ops.CreateAccessKey, ops.UserIn{User: ops.Ref{Name: user}}))
	}
	const full = "arn:aws:iam::acs:policy/AliyunRAMFullAccess"
	denied("gives a role its own permissions", testkit.Fails(t, w, yuki, ops.AttachRolePolicy, ops.AttachIn{Holder: ops.Ref{Name: "shop"}, Policy: full}))
	denied("gives a user its own permissions", testkit.Fails(t, w, yuki, ops.AttachUserPolicy, ops.AttachIn{Holder: ops.Ref{Name: "newcomer"}, Policy: full}))
	s.guarded(denied, yuki)
	// By the group somebody else becomes one, and has its rules from the first moment.
	testkit.Do(t, w, yuki, ops.ApplyTemplate, ops.ApplyTemplateIn{Template: jobs.AccountAdministrator, Users: []string{"rei"}, Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
	testkit.Do(t, w, yuki, ops.AttachUserPolicy, ops.AttachIn{Holder: ops.Ref{Name: "newcomer"}, Policy: "arn:aws:iam::acs:policy/AliyunECSReadOnlyAccess"})
	testkit.Do(t, w, yuki, ops.CreateAccessKey, ops.UserIn{User: ops.Ref{Name: "newcomer"}})
	elsewhere := yuki
	elsewhere.Source.IP = netip.MustParseAddr("198.51.100.1")
	denied("works from another network", testkit.Fails(t, w, elsewhere, ops.CreateUser, ops.CreateUserIn{Name: "x"}))
	cli := s.commandLine(yuki)
	check("the account administrator's command line", cli, ask{ecs, "Action=DescribeInstances", false}, ask{vpc, "Action=DeleteVpc&VpcId=vpc-1", false})
	testkit.Do(t, w, w.As(t, cli.AccessKeyID, cli.Token), ops.GetUser, ops.UserIn{User: ops.Ref{Name: "newcomer"}})
	// A key that somebody else made for it is good for nothing.
	ken := key("ken")
	denied("uses a key", testkit.Fails(t, w, w.As(t, ken.AccessKeyID, ""), ops.GetUser, ops.UserIn{User: ops.Ref{Name: "newcomer"}}))
}

// guarded tries, as an account administrator, to get rid of what binds account
// administrators: each step that would.
func (s *stage) guarded(denied func(string, error), yuki ops.Call) {
	w := s.world
	const guard, group = "arn:aws:iam::123456789012:policy/AccountAdministratorGuard", "AccountAdministrators"
	const open = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	denied("lifts the rules", testkit.Fails(s, w, yuki, ops.CreatePolicyVersion, ops.CreateVersionIn{Policy: guard, Document: open, Default: true}))
	denied("takes the rules from the group", testkit.Fails(s, w, yuki, ops.DetachGroupPolicy, ops.AttachIn{Holder: ops.Ref{Name: group}, Policy: guard}))
	denied("leaves the group", testkit.Fails(s, w, yuki, ops.RemoveUserFromGroup, ops.MemberIn{Group: ops.Ref{Name: group}, User: ops.Ref{Name: "yuki"}}))
	denied("deletes the group", testkit.Fails(s, w, yuki, ops.DeleteGroup, ops.GroupIn{Group: ops.Ref{Name: group}}))
	denied("renames the group", testkit.Fails(s, w, yuki, ops.UpdateGroup, ops.UpdateGroupIn{Group: ops.Ref{Name: group}, NewName: "x"}))
	denied("takes its tag off", testkit.Fails(s, w, yuki, ops.UntagUser, ops.UntagIn{Ref: ops.Ref{Name: "yuki"}, Keys: []string{jobs.TagKey}}))
	denied("deletes the rules", testkit.Fails(s, w, yuki, ops.DeletePolicy, ops.PolicyIn{Policy: guard}))
	denied("lifts the addresses", testkit.Fails(s, w, yuki, ops.ApplyTemplate, ops.ApplyTemplateIn{Template: jobs.AccountAdministrator}))
}
