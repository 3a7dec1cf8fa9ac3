package alibaba

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	ramv2 "github.com/alibabacloud-go/ram-20150501/v2/client"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/alibabacloud-go/tea/tea"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ecs"
)

// cloud is a small ECS and VPC with two instances. It keeps what it was asked.
type cloud struct {
	mu      sync.Mutex
	stopped map[string]bool
	asked   []string // action and caller
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped == nil {
		c.stopped = map[string]bool{}
	}
	action := r.FormValue("Action")
	c.asked = append(c.asked, action+" "+r.Header.Get("Warifu-Principal-Arn"))
	answer := map[string]any{"RequestId": "0E3A6F0F-5D6E-4B7C-9F42-6A3D0B8C7E11"}
	switch action {
	case "DescribeInstances":
		var list []map[string]string
		for _, id := range []string{"i-web", "i-batch"} {
			status := "Running"
			if c.stopped[id] {
				status = "Stopped"
			}
			list = append(list, map[string]string{"InstanceId": id, "Status": status})
		}
		answer["Instances"], answer["TotalCount"] = map[string]any{"Instance": list}, len(list)
	case "StopInstance":
		c.stopped[r.FormValue("InstanceId")] = true
	case "DescribeVpcs":
		answer["Vpcs"], answer["TotalCount"] = map[string]any{"Vpc": []map[string]string{{"VpcId": "vpc-1"}}}, 1
	case "RunCommand", "LoginInstance":
	default:
		w.WriteHeader(http.StatusNotFound)
		answer["Code"] = "InvalidAction.NotFound"
	}
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	json.NewEncoder(w).Encode(answer)
}

// startWithCloud starts the program with ecs, vpc and ecs-workbench behind it.
func startWithCloud(t *testing.T) (*server, *cloud) {
	t.Helper()
	c := &cloud{}
	up := httptest.NewServer(c)
	t.Cleanup(up.Close)
	for _, code := range []string{"ECS", "VPC", "ECS_WORKBENCH"} {
		t.Setenv("WARIFU_SERVICES_"+code+"_URL", up.URL)
		t.Setenv("WARIFU_SERVICES_"+code+"_PROTOCOL", "acs")
		t.Setenv("WARIFU_SERVICES_"+code+"_REGION", "cn-hangzhou")
	}
	return start(t), c
}

// v2 asks a service through a client of the newer SDKs, which signs with ACS3. It
// answers the error's code, "" for none.
func (s *server) v2(t *testing.T, id, secret, version, action string, params ...string) string {
	t.Helper()
	return asks(t, s.config(id, secret, ""), version, action, params...)
}

// asks is v2 with any credentials.
func asks(t *testing.T, as *openapi.Config, version, action string, params ...string) string {
	t.Helper()
	client := ok[*ramv2.Client](t)(ramv2.NewClient(as))
	query := map[string]*string{}
	for i := 0; i < len(params); i += 2 {
		query[params[i]] = tea.String(params[i+1])
	}
	_, err := client.CallApi(&openapi.Params{
		Action: tea.String(action), Version: tea.String(version), Protocol: tea.String("HTTP"), Method: tea.String("POST"), AuthType: tea.String("AK"),
		Style: tea.String("RPC"), Pathname: tea.String("/"), ReqBodyType: tea.String("formData"), BodyType: tea.String("json"),
	}, &openapi.OpenApiRequest{Query: query}, &dara.RuntimeOptions{})
	if err == nil {
		return ""
	}
	c, _ := refused(err)
	return c
}

// ECS through the gateway: the classic SDK's own client (RPC 1.0) and the newer
// one (ACS3), under a policy of the RAM language.
func TestECSBehindTheGateway(t *testing.T) {
	s, up := startWithCloud(t)
	admin := ok[*ramv2.Client](t)(ramv2.NewClient(s.config(s.AccessKeyID, s.SecretAccessKey, "")))
	ok[*ramv2.CreateUserResponse](t)(admin.CreateUser(&ramv2.CreateUserRequest{UserName: tea.String("ops")}))
	key := ok[*ramv2.CreateAccessKeyResponse](t)(admin.CreateAccessKey(&ramv2.CreateAccessKeyRequest{UserName: tea.String("ops")})).Body.AccessKey
	id, secret := tea.StringValue(key.AccessKeyId), tea.StringValue(key.AccessKeySecret)
	ok[*ramv2.CreatePolicyResponse](t)(admin.CreatePolicy(&ramv2.CreatePolicyRequest{
		PolicyName: tea.String("ops"), PolicyDocument: tea.String(`{"Version":"1","Statement":[
			{"Effect":"Allow","Action":["ecs:Describe*","vpc:Describe*"],"Resource":"*"},
			{"Effect":"Allow","Action":"ecs:StopInstance","Resource":"acs:ecs:cn-hangzhou:` + s.uid + `:instance/i-batch"},
			{"Effect":"Allow","Action":"ecs:RunCommand","Resource":"*","Condition":{"StringNotEqualsIgnoreCase":{"ecs:CommandRunAs":["system","root"]}}}]}`),
	}))
	ok[*ramv2.AttachPolicyToUserResponse](t)(admin.AttachPolicyToUser(&ramv2.AttachPolicyToUserRequest{
		UserName: tea.String("ops"), PolicyName: tea.String("ops"), PolicyType: tea.String("Custom"),
	}))

	classic := ok[*ecs.Client](t)(ecs.NewClientWithOptions("cn-hangzhou", sdk.NewConfig().WithScheme("http").WithAutoRetry(false), credentials.NewAccessKeyCredential(id, secret)))
	stop := ecs.CreateStopInstanceRequest()
	stop.Domain, stop.InstanceId = s.host, "i-web"
	if _, err := classic.StopInstance(stop); refusedClassic(err) != "Forbidden.RAM" {
		t.Errorf("another instance: %v", err)
	}
	stop.InstanceId = "i-batch"
	ok[*ecs.StopInstanceResponse](t)(classic.StopInstance(stop))
	list := ecs.CreateDescribeInstancesRequest()
	list.Domain = s.host
	if r := ok[*ecs.DescribeInstancesResponse](t)(classic.DescribeInstances(list)); len(r.Instances.Instance) != 2 || r.Instances.Instance[1].Status != "Stopped" {
		t.Errorf("%+v", r.Instances)
	}
	run := ecs.CreateRunCommandRequest()
	run.Domain, run.InstanceId, run.Type, run.CommandContent, run.Username = s.host, &[]string{"i-web"}, "RunShellScript", "uptime", "root"
	if _, err := classic.RunCommand(run); refusedClassic(err) != "Forbidden.RAM" {
		t.Errorf("a command of root's: %v", err)
	}
	run.Username = "deploy"
	ok[*ecs.RunCommandResponse](t)(classic.RunCommand(run))

	if c := s.v2(t, id, secret, "2016-04-28", "DescribeVpcs", "RegionId", "cn-hangzhou"); c != "" {
		t.Errorf("vpc: %s", c)
	}
	if c := s.v2(t, id, secret, "2014-05-26", "DeleteInstance", "InstanceId", "i-batch"); c != "Forbidden.RAM" {
		t.Errorf("not allowed: %s", c)
	}
	if c := s.v2(t, id, "wrong", "2014-05-26", "DescribeInstances"); c != "SignatureDoesNotMatch" {
		t.Errorf("another secret: %s", c)
	}
	if c := s.v2(t, s.AccessKeyID, s.SecretAccessKey, "2022-02-20", "LoginInstance", "InstanceLoginInfo", `{"InstanceId":"i-web"}`); c != "" {
		t.Errorf("workbench: %s", c)
	}
	caller := " arn:aws:iam::" + s.AccountID + ":user/ops"
	if want := []string{"StopInstance" + caller, "DescribeInstances" + caller, "RunCommand" + caller, "DescribeVpcs" + caller}; !slices.Equal(up.asked[:min(4, len(up.asked))], want) {
		t.Errorf("the upstream was asked %q", up.asked)
	}
}
