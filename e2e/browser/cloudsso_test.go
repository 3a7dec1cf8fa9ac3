package browser

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// asks sends what `aliyun configure --mode CloudSSO` sends, and answers the status and
// the document.
func (s *site) asks(t *testing.T, method, path, token string, say map[string]string) (int, map[string]any) {
	t.Helper()
	r := must(http.NewRequest(method, s.base+path, bytes.NewReader(must(json.Marshal(say))(t))))(t)
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "aliyun/CLI-3.4.11")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer := must(http.DefaultClient.Do(r))(t)
	defer answer.Body.Close()
	var doc map[string]any
	if err := json.NewDecoder(answer.Body).Decode(&doc); err != nil {
		t.Fatalf("%s: %d: %v", path, answer.StatusCode, err)
	}
	return answer.StatusCode, doc
}

// Alibaba Cloud's command line signs in through the browser: password, second factor,
// consent; and its credentials do what a policy allows with a second factor only.
func TestAliyunSignIn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.user(t, "mei", admins)
	_, err := s.iam.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{
		UserName: aws.String("mei"), PolicyName: aws.String("mfa"), PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[
			{"Effect":"Deny","NotAction":["iam:*MFADevice*","signin:*"],"Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}]}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	const client, verifier = "app-vaz16tltdxs96audqf35", "YlMbSt9vEwq0Zd3u9f86d081884c7d659a2feaa0c55ad015"
	sum := sha256.Sum256([]byte(verifier))
	_, began := s.asks(t, "POST", "/device-authorization", "", map[string]string{
		"PortalUrl": s.base + "/start", "ClientId": client, "CodeChallenge": base64.RawURLEncoding.EncodeToString(sum[:]), "CodeChallengeMethod": "S256",
	})
	poll := func() (int, map[string]any) {
		return s.asks(t, "POST", "/token", "", map[string]string{
			"CodeVerifier": verifier, "ClientId": client, "DeviceCode": began["DeviceCode"].(string), "GrantType": "urn:ietf:params:oauth:grant-type:device_code",
		})
	}
	if _, doc := poll(); doc["ErrorCode"] != "AuthorizationPending" {
		t.Errorf("before anybody approved: %v", doc)
	}

	b := s.open(t, "zh")
	b.signIn(s, "mei").at("/console")
	phone := b.bind()
	b.visit(began["VerificationUriComplete"].(string)).says(b.w("cli.device.title"))
	b.click(b.w("form.continue")).fill(b.w("signin.code.label"), phone.code()).click(b.w("stepup.do"))
	b.says(b.w("cli.remote.title"), "aliyun/CLI-3.4.11", b.w("cli.mfa.yes"))
	b.click(b.w("cli.approve")).says(b.w("flash.cli.approved"))

	status, doc := poll()
	token, _ := doc["AccessToken"].(string)
	if status != 200 || token == "" {
		t.Fatalf("%d %v", status, doc)
	}
	_, doc = s.asks(t, "GET", "/access-assignments/accounts?MaxResults=100", token, nil)
	account := doc["Accounts"].([]any)[0].(map[string]any)["AccountId"].(string)
	_, doc = s.asks(t, "GET", "/access-assignments/access-configurations?AccountId="+account, token, nil)
	config := doc["AccessConfigurationsForAccount"].([]any)[0].(map[string]any)["AccessConfigurationId"].(string)
	_, doc = s.asks(t, "POST", "/cloud-credentials", token, map[string]string{"AccountId": account, "AccessConfigurationId": config})
	c := doc["CloudCredential"].(map[string]any)

	// The same credentials at another door: what they say of MFA holds there, too.
	mine := iam.New(iam.Options{
		Region: "us-east-1", BaseEndpoint: &s.base,
		Credentials: credentials.NewStaticCredentialsProvider(c["AccessKeyId"].(string), c["AccessKeySecret"].(string), c["SecurityToken"].(string)),
	})
	if _, err := mine.GetUser(context.Background(), &iam.GetUserInput{UserName: aws.String("mei")}); err != nil {
		t.Errorf("with the credentials of the command line: %v", err)
	}
}
