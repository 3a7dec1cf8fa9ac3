package oci

import (
	"strconv"
	"strings"
	"testing"

	"github.com/oracle/oci-go-sdk/v65/common"
	"github.com/oracle/oci-go-sdk/v65/identity"

	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/testkit"
)

func str(s string) *string { return &s }

// Tags: namespaces, definitions with values, defaults that new nouns get, and what they
// refuse.
func TestTags(t *testing.T) {
	s := newTenancy(t)
	dev, err := s.admin.CreateCompartment(ctx, identity.CreateCompartmentRequest{CreateCompartmentDetails: identity.CreateCompartmentDetails{CompartmentId: s.root, Name: str("dev"), Description: str("d")}})
	s.ok(err)
	ns, err := s.admin.CreateTagNamespace(ctx, identity.CreateTagNamespaceRequest{CreateTagNamespaceDetails: identity.CreateTagNamespaceDetails{CompartmentId: s.root, Name: str("Ops"), Description: str("d")}})
	s.ok(err)
	_, err = s.admin.CreateTagNamespace(ctx, identity.CreateTagNamespaceRequest{CreateTagNamespaceDetails: identity.CreateTagNamespaceDetails{CompartmentId: dev.Id, Name: str("ops"), Description: str("d")}})
	s.fails(err, 409, "TagNamespaceAlreadyExists")
	tag, err := s.admin.CreateTag(ctx, identity.CreateTagRequest{TagNamespaceId: ns.Id, CreateTagDetails: identity.CreateTagDetails{
		Name: str("Stage"), Description: str("d"), IsCostTracking: common.Bool(true), Validator: identity.EnumTagDefinitionValidator{Values: []string{"dev", "prod"}},
	}})
	s.ok(err)
	got, err := s.admin.GetTag(ctx, identity.GetTagRequest{TagNamespaceId: ns.Id, TagName: str("Stage")})
	s.ok(err)
	if v, ok := got.Validator.(identity.EnumTagDefinitionValidator); !ok || len(v.Values) != 2 || *got.TagNamespaceName != "Ops" || *got.Id != *tag.Id || *got.CompartmentId != *s.root {
		t.Errorf("%+v", got.Tag)
	}
	costs, err := s.admin.ListCostTrackingTags(ctx, identity.ListCostTrackingTagsRequest{CompartmentId: s.root})
	s.ok(err)
	if len(costs.Items) != 1 || *costs.Items[0].TagNamespaceName != "Ops" {
		t.Errorf("%+v", costs.Items)
	}

	group := func(called string, tags map[string]map[string]interface{}) (identity.CreateGroupResponse, error) {
		return s.admin.CreateGroup(ctx, identity.CreateGroupRequest{CreateGroupDetails: identity.CreateGroupDetails{CompartmentId: s.root, Name: &called, Description: &called, DefinedTags: tags}})
	}
	defined := func(namespace, key, value string) map[string]map[string]interface{} {
		return map[string]map[string]interface{}{namespace: {key: value}}
	}
	for _, bad := range []map[string]map[string]interface{}{defined("Nobody", "Stage", "dev"), defined("Ops", "Other", "dev"), defined("Ops", "Stage", "test")} {
		_, err := group("bad", bad)
		s.fails(err, 400, "InvalidParameter")
	}
	g, err := group("good", defined("Ops", "Stage", "dev"))
	s.ok(err)
	if g.DefinedTags["Ops"]["Stage"] != "dev" {
		t.Errorf("%+v", g.Group)
	}

	// Defaults: that of the root counts below it, one of a compartment goes before it.
	fallback := func(at *string, value string, must bool) (identity.CreateTagDefaultResponse, error) {
		return s.admin.CreateTagDefault(ctx, identity.CreateTagDefaultRequest{CreateTagDefaultDetails: identity.CreateTagDefaultDetails{CompartmentId: at, TagDefinitionId: tag.Id, Value: &value, IsRequired: &must}})
	}
	_, err = fallback(s.root, "test", false)
	s.fails(err, 400, "InvalidParameter")
	d, err := fallback(s.root, "prod", false)
	s.ok(err)
	_, err = fallback(s.root, "dev", false)
	s.fails(err, 409, "TagDefaultAlreadyExists")
	_, err = fallback(dev.Id, "dev", false)
	s.ok(err)
	h, err := group("given", nil)
	s.ok(err)
	if h.DefinedTags["Ops"]["Stage"] != "prod" {
		t.Errorf("%+v", h.Group)
	}
	c, err := s.admin.CreateCompartment(ctx, identity.CreateCompartmentRequest{CreateCompartmentDetails: identity.CreateCompartmentDetails{CompartmentId: dev.Id, Name: str("sub"), Description: str("d")}})
	s.ok(err)
	if c.DefinedTags["Ops"]["Stage"] != "dev" {
		t.Errorf("%+v", c.Compartment)
	}
	effective, err := s.admin.AssembleEffectiveTagSet(ctx, identity.AssembleEffectiveTagSetRequest{CompartmentId: c.Id})
	s.ok(err)
	if len(effective.Items) != 1 || *effective.Items[0].Value != "dev" {
		t.Errorf("%+v", effective.Items)
	}
	_, err = s.admin.UpdateTagDefault(ctx, identity.UpdateTagDefaultRequest{TagDefaultId: d.Id, IfMatch: d.Etag, UpdateTagDefaultDetails: identity.UpdateTagDefaultDetails{Value: str(""), IsRequired: common.Bool(true)}})
	s.ok(err)
	_, err = s.admin.UpdateTagDefault(ctx, identity.UpdateTagDefaultRequest{TagDefaultId: d.Id, IfMatch: d.Etag, UpdateTagDefaultDetails: identity.UpdateTagDefaultDetails{Value: str("")}})
	s.fails(err, 412, "NoEtagMatch")
	_, err = group("untagged", nil)
	s.fails(err, 400, "InvalidParameter")
	list, err := s.admin.ListTagDefaults(ctx, identity.ListTagDefaultsRequest{TagDefinitionId: tag.Id})
	s.ok(err)
	if len(list.Items) != 2 {
		t.Errorf("%+v", list.Items)
	}

	// What is in use stays: retire first, delete from the inside out.
	_, err = s.admin.DeleteTagNamespace(ctx, identity.DeleteTagNamespaceRequest{TagNamespaceId: ns.Id})
	s.fails(err, 409, "IncorrectState")
	retire, err := s.admin.UpdateTag(ctx, identity.UpdateTagRequest{TagNamespaceId: ns.Id, TagName: str("stage"), UpdateTagDetails: identity.UpdateTagDetails{IsRetired: common.Bool(true)}})
	s.ok(err)
	if !*retire.IsRetired || retire.Validator == nil {
		t.Errorf("%+v", retire.Tag)
	}
	_, err = group("late", defined("Ops", "Stage", "dev"))
	s.fails(err, 400, "InvalidParameter")
	_, err = s.admin.DeleteTag(ctx, identity.DeleteTagRequest{TagNamespaceId: ns.Id, TagName: str("Stage")})
	s.fails(err, 409, "IncorrectState")
	for _, item := range list.Items {
		_, err = s.admin.DeleteTagDefault(ctx, identity.DeleteTagDefaultRequest{TagDefaultId: item.Id})
		s.ok(err)
	}
	_, err = s.admin.ChangeTagNamespaceCompartment(ctx, identity.ChangeTagNamespaceCompartmentRequest{TagNamespaceId: ns.Id, ChangeTagNamespaceCompartmentDetail: identity.ChangeTagNamespaceCompartmentDetail{CompartmentId: dev.Id}})
	s.ok(err)
	here, err := s.admin.ListTagNamespaces(ctx, identity.ListTagNamespacesRequest{CompartmentId: s.root})
	s.ok(err)
	all, err := s.admin.ListTagNamespaces(ctx, identity.ListTagNamespacesRequest{CompartmentId: s.root, IncludeSubcompartments: common.Bool(true)})
	s.ok(err)
	if len(here.Items) != 0 || len(all.Items) != 1 {
		t.Errorf("%d here, %d in all", len(here.Items), len(all.Items))
	}
	_, err = s.admin.DeleteTag(ctx, identity.DeleteTagRequest{TagNamespaceId: ns.Id, TagName: str("Stage")})
	s.ok(err)
	_, err = s.admin.UpdateTagNamespace(ctx, identity.UpdateTagNamespaceRequest{TagNamespaceId: ns.Id, UpdateTagNamespaceDetails: identity.UpdateTagNamespaceDetails{IsRetired: common.Bool(true)}})
	s.ok(err)
	_, err = s.admin.DeleteTagNamespace(ctx, identity.DeleteTagNamespaceRequest{TagNamespaceId: ns.Id})
	s.ok(err)

	// In a compartment, permission is asked there; the tags of a namespace lie where it does.
	alice := s.user("alice")
	s.group("Taggers", alice)
	s.policy("taggers", "allow group Taggers to manage tag-namespaces in compartment dev")
	own, err := alice.CreateTagNamespace(ctx, identity.CreateTagNamespaceRequest{CreateTagNamespaceDetails: identity.CreateTagNamespaceDetails{CompartmentId: dev.Id, Name: str("Own"), Description: str("d")}})
	s.ok(err)
	_, err = alice.CreateTag(ctx, identity.CreateTagRequest{TagNamespaceId: own.Id, CreateTagDetails: identity.CreateTagDetails{Name: str("k"), Description: str("d")}})
	s.ok(err)
	_, err = alice.CreateTagNamespace(ctx, identity.CreateTagNamespaceRequest{CreateTagNamespaceDetails: identity.CreateTagNamespaceDetails{CompartmentId: s.root, Name: str("Not"), Description: str("d")}})
	s.denied(err)
	_, err = s.admin.DeleteCompartment(ctx, identity.DeleteCompartmentRequest{CompartmentId: dev.Id})
	s.fails(err, 409, "IncorrectState")
}

func TestIdentityProviders(t *testing.T) {
	s := newTenancy(t)
	const metadata = `<md:EntityDescriptor><ds:X509Certificate>MIIC</ds:X509Certificate><md:SingleSignOnService Binding="b" Location="https://idp.example/sso"/></md:EntityDescriptor>`
	made, err := s.admin.CreateIdentityProvider(ctx, identity.CreateIdentityProviderRequest{CreateIdentityProviderDetails: identity.CreateSaml2IdentityProviderDetails{
		CompartmentId: s.root, Name: str("adfs"), Description: str("d"), MetadataUrl: str("https://idp.example/metadata"), Metadata: str(metadata), ProductType: identity.CreateIdentityProviderDetailsProductTypeAdfs,
	}})
	s.ok(err)
	p, ok := made.IdentityProvider.(identity.Saml2IdentityProvider)
	if !ok || *p.RedirectUrl != "https://idp.example/sso" || *p.SigningCertificate != "MIIC" || *p.ProductType != "ADFS" {
		t.Fatalf("%+v", made.IdentityProvider)
	}
	g := s.group("Admins")
	m, err := s.admin.CreateIdpGroupMapping(ctx, identity.CreateIdpGroupMappingRequest{IdentityProviderId: p.Id, CreateIdpGroupMappingDetails: identity.CreateIdpGroupMappingDetails{IdpGroupName: str("CN=admins"), GroupId: &g}})
	s.ok(err)
	_, err = s.admin.CreateIdpGroupMapping(ctx, identity.CreateIdpGroupMappingRequest{IdentityProviderId: p.Id, CreateIdpGroupMappingDetails: identity.CreateIdpGroupMappingDetails{IdpGroupName: str("x"), GroupId: str("ocid1.group.oc1..nobody")}})
	s.denied(err)
	u, err := s.admin.UpdateIdpGroupMapping(ctx, identity.UpdateIdpGroupMappingRequest{IdentityProviderId: p.Id, MappingId: m.Id, UpdateIdpGroupMappingDetails: identity.UpdateIdpGroupMappingDetails{IdpGroupName: str("CN=all")}})
	s.ok(err)
	if *u.IdpGroupName != "CN=all" || *u.GroupId != g || *u.IdpId != *p.Id {
		t.Errorf("%+v", u.IdpGroupMapping)
	}
	list, err := s.admin.ListIdentityProviders(ctx, identity.ListIdentityProvidersRequest{Protocol: identity.ListIdentityProvidersProtocolSaml2, CompartmentId: s.root})
	s.ok(err)
	mappings, err := s.admin.ListIdpGroupMappings(ctx, identity.ListIdpGroupMappingsRequest{IdentityProviderId: p.Id})
	s.ok(err)
	if len(list.Items) != 1 || len(mappings.Items) != 1 {
		t.Errorf("%+v %+v", list.Items, mappings.Items)
	}
	_, err = s.admin.DeleteIdentityProvider(ctx, identity.DeleteIdentityProviderRequest{IdentityProviderId: p.Id})
	s.fails(err, 409, "IncorrectState")
	_, err = s.admin.DeleteIdpGroupMapping(ctx, identity.DeleteIdpGroupMappingRequest{IdentityProviderId: p.Id, MappingId: m.Id})
	s.ok(err)
	_, err = s.admin.DeleteIdentityProvider(ctx, identity.DeleteIdentityProviderRequest{IdentityProviderId: p.Id})
	s.ok(err)
}

// The rest of the settings: the network from which users sign in, the region, work
// that was done, and what this server does not have.
func TestNetworkPolicyAndTheRest(t *testing.T) {
	s := newTenancy(t)
	alice := s.user("alice")
	pw, err := s.admin.CreateOrResetUIPassword(ctx, identity.CreateOrResetUIPasswordRequest{UserId: &alice.id})
	s.ok(err)
	source := func(called, network string) *string {
		n, err := s.admin.CreateNetworkSource(ctx, identity.CreateNetworkSourceRequest{CreateNetworkSourceDetails: identity.CreateNetworkSourceDetails{
			CompartmentId: s.root, Name: &called, Description: &called, PublicSourceList: []string{network},
		}})
		s.ok(err)
		return n.Id
	}
	office, elsewhere := source("office", "192.0.2.0/24"), source("elsewhere", "198.51.100.0/24")
	restrict := func(ids ...string) error {
		_, err := s.admin.UpdateAuthenticationPolicy(ctx, identity.UpdateAuthenticationPolicyRequest{CompartmentId: s.root, UpdateAuthenticationPolicyDetails: identity.UpdateAuthenticationPolicyDetails{
			NetworkPolicy: &identity.NetworkPolicy{NetworkSourceIds: append([]string{}, ids...)},
		}})
		return err
	}
	opens := func(password string) bool { return s.opens("alice", password) }
	s.signIn(alice, "alice", *pw.Password, "")
	own := *pw.Password + "-own"
	s.ok(restrict(*elsewhere))
	p, err := s.admin.GetAuthenticationPolicy(ctx, identity.GetAuthenticationPolicyRequest{CompartmentId: s.root})
	s.ok(err)
	if len(p.NetworkPolicy.NetworkSourceIds) != 1 || p.NetworkPolicy.NetworkSourceIds[0] != *elsewhere {
		t.Errorf("%+v", p.NetworkPolicy)
	}
	if opens(own) {
		t.Error("sign-in from outside the network")
	}
	_, err = alice.ListApiKeys(ctx, identity.ListApiKeysRequest{UserId: &alice.id}) // keys are not bound
	s.ok(err)
	_, err = s.admin.DeleteNetworkSource(ctx, identity.DeleteNetworkSourceRequest{NetworkSourceId: elsewhere})
	s.fails(err, 409, "IncorrectState")
	s.ok(restrict(*office))
	if !opens(own) {
		t.Error("no sign-in from the network")
	}
	s.fails(restrict(*office, *elsewhere), 400, "InvalidParameter")
	s.ok(restrict())
	_, err = s.admin.DeleteNetworkSource(ctx, identity.DeleteNetworkSourceRequest{NetworkSourceId: office})
	s.ok(err)

	subscribe := func(key string) error {
		_, err := s.admin.CreateRegionSubscription(ctx, identity.CreateRegionSubscriptionRequest{TenancyId: s.root, CreateRegionSubscriptionDetails: identity.CreateRegionSubscriptionDetails{RegionKey: &key}})
		return err
	}
	s.fails(subscribe("WF1"), 409, "Conflict")
	s.fails(subscribe("IAD"), 400, "InvalidParameter")

	c, err := s.admin.CreateCompartment(ctx, identity.CreateCompartmentRequest{CreateCompartmentDetails: identity.CreateCompartmentDetails{CompartmentId: s.root, Name: str("c"), Description: str("c")}})
	s.ok(err)
	gone, err := s.admin.DeleteCompartment(ctx, identity.DeleteCompartmentRequest{CompartmentId: c.Id})
	s.ok(err)
	work, err := s.admin.ListWorkRequests(ctx, identity.ListWorkRequestsRequest{CompartmentId: s.root, ResourceIdentifier: c.Id})
	s.ok(err)
	one, err := s.admin.GetWorkRequest(ctx, identity.GetWorkRequestRequest{WorkRequestId: gone.OpcWorkRequestId})
	s.ok(err)
	if len(work.Items) != 1 || *work.Items[0].Id != *gone.OpcWorkRequestId || one.Status != identity.WorkRequestStatusSucceeded {
		t.Errorf("%+v %+v", work.Items, one.WorkRequest)
	}

	_, err = s.admin.ListDbCredentials(ctx, identity.ListDbCredentialsRequest{UserId: &alice.id})
	s.fails(err, 501, "MethodNotImplemented")
	_, err = s.admin.BulkDeleteResources(ctx, identity.BulkDeleteResourcesRequest{CompartmentId: s.root, BulkDeleteResourcesDetails: identity.BulkDeleteResourcesDetails{Resources: []identity.BulkActionResource{}}})
	s.fails(err, 501, "MethodNotImplemented")
	_, err = s.admin.ListTaggingWorkRequests(ctx, identity.ListTaggingWorkRequestsRequest{CompartmentId: s.root})
	s.fails(err, 501, "MethodNotImplemented")
}

// A deny of any language stops what the others allow.
func TestDenyOfEveryLanguage(t *testing.T) {
	s := newTenancy(t)
	alice := s.user("alice")
	s.group("Readers", alice)
	s.policy("readers", "allow group Readers to inspect users in tenancy", "allow group Readers to manage tag-namespaces in tenancy")
	list := func() error {
		_, err := alice.ListUsers(ctx, identity.ListUsersRequest{CompartmentId: s.root})
		return err
	}
	tags := func() error {
		_, err := alice.ListTagNamespaces(ctx, identity.ListTagNamespacesRequest{CompartmentId: s.root})
		return err
	}
	s.ok(list())
	s.ok(tags())
	admin := s.World.Admin(t)
	for i, deny := range []struct {
		document string
		stops    func() error
	}{
		{`{"Version":"1","Statement":[{"Effect":"Deny","Action":"ram:ListUsers","Resource":"*"}]}`, list},
		{`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iam:ListUsers","Resource":"*"}}`, list},
		{`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"warifu:ListTagNamespaces","Resource":"*"}}`, tags},
	} {
		call := admin
		if strings.HasPrefix(deny.document, `{"Version":"1"`) {
			call.Source.Language = iam.LanguageRAM
		}
		p := testkit.Do(t, s.World, call, ops.CreatePolicy, ops.CreatePolicyIn{Name: "no" + strconv.Itoa(i), Document: deny.document})
		in := ops.AttachIn{Holder: ops.Ref{Name: "alice"}, Policy: p.ARN()}
		testkit.Do(t, s.World, call, ops.AttachUserPolicy, in)
		s.denied(deny.stops())
		testkit.Do(t, s.World, call, ops.DetachUserPolicy, in)
		s.ok(deny.stops())
	}
}
