package gateway

import (
	"slices"
	"strings"
	"testing"
)

var (
	ec2Service = Service{Name: "ec2", Protocol: EC2}
	sqsService = Service{Name: "sqs", Protocol: Query}
	snsService = Service{Name: "sns", Protocol: Query}
	cwService  = Service{Name: "monitoring", Prefix: "cloudwatch", Protocol: Query}
	ddbService = Service{Name: "dynamodb", Protocol: JSON, Target: "DynamoDB_20120810"}
	kmsService = Service{Name: "kms", Protocol: JSON}
)

func form(body string) *View {
	return view("POST /", body, "Content-Type: application/x-www-form-urlencoded; charset=utf-8")
}

func TestFormOperations(t *testing.T) {
	const arn = "arn:aws:ec2:eu-west-1:123456789012:"
	tests := []struct {
		service *Service
		view    *View
		want    string
	}{
		{&ec2Service, form("Action=DescribeInstances&Version=2016-11-15"), "ec2:DescribeInstances"},
		{&ec2Service, view("GET /?Action=DescribeInstances&Version=2016-11-15", ""), "ec2:DescribeInstances"},
		{&ec2Service, view("POST /?Action=DescribeRegions", ""), "ec2:DescribeRegions"},
		{&ec2Service, form("Action=DescribeInstances&Filter.1.Name=instance-state-name&Filter.1.Value.1=running"), "ec2:DescribeInstances"},
		{&ec2Service, form("Action=TerminateInstances&InstanceId.1=i-0123456789abcdef0&InstanceId.2=i-12345678"),
			"ec2:TerminateInstances " + arn + "instance/i-0123456789abcdef0 " + arn + "instance/i-12345678"},
		{&ec2Service, form("Action=AttachVolume&VolumeId=vol-12345678&InstanceId=i-12345678&Device=%2Fdev%2Fsdf"),
			"ec2:AttachVolume " + arn + "instance/i-12345678 " + arn + "volume/vol-12345678"},
		{&ec2Service, form("Action=CreateTags&ResourceId.1=i-12345678&Tag.1.Key=team&Tag.1.Value=red"), "ec2:CreateTags " + arn + "instance/i-12345678"},
		{&ec2Service, form("Action=TerminateInstances&InstanceId.1=I-12345678"),
			"ec2:TerminateInstances " + arn + "instance/I-12345678 " + arn + "instance/i-12345678"},
		{&cwService, form("Action=PutMetricAlarm&AlarmName=high-cpu"), "cloudwatch:PutMetricAlarm arn:aws:cloudwatch:eu-west-1:123456789012:alarm:high-cpu"},
		{&snsService, form("Action=Publish&TopicArn=arn:aws:sns:eu-west-1:123456789012:news&Message=hi"), "sns:Publish arn:aws:sns:eu-west-1:123456789012:news"},
		{&snsService, form("Action=CreateTopic&Name=news"), "sns:CreateTopic arn:aws:sns:eu-west-1:123456789012:news"},
		{&sqsService, form("Action=SendMessage&QueueUrl=http%3A%2F%2Fx%2F123456789012%2Fjobs&MessageBody=hi"), "sqs:SendMessage arn:aws:sqs:eu-west-1:123456789012:jobs"},
	}
	for _, test := range tests {
		d, err := Derive(test.service, test.view)
		if err != nil || needs(d) != test.want {
			t.Errorf("%s: got %q, error %v; want %q", test.service.Name, needs(d), err, test.want)
		}
	}
}

func TestRunInstancesNeedsEveryResource(t *testing.T) {
	d, err := Derive(&ec2Service, form("Action=RunInstances&ImageId=ami-12345678&SubnetId=subnet-12345678&KeyName=work&MinCount=1&MaxCount=1"+
		"&TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=team&TagSpecification.1.Tag.1.Value=red"))
	if err != nil {
		t.Fatal(err)
	}
	got := d.Needs[0].Resources
	for _, want := range []string{
		"arn:aws:ec2:eu-west-1::image/ami-12345678", "arn:aws:ec2:eu-west-1:123456789012:instance/*",
		"arn:aws:ec2:eu-west-1:123456789012:subnet/subnet-12345678", "arn:aws:ec2:eu-west-1:123456789012:key-pair/work",
		"arn:aws:ec2:eu-west-1:123456789012:security-group/*", "arn:aws:ec2:eu-west-1:123456789012:network-interface/*",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is missing in %q", want, got)
		}
	}
	if len(d.Tags) != 1 || d.Tags[0] != (Tag{"team", "red"}) {
		t.Errorf("tags %v", d.Tags)
	}
	if d.ReadOnly {
		t.Error("RunInstances is read-only")
	}
}

func TestFormRefusals(t *testing.T) {
	tests := []struct {
		view *View
		want Reason
	}{
		{form("Version=2016-11-15"), MissingAction},
		{view("GET /", ""), MissingAction},
		{form("Action=DescribeInstances&Action=TerminateInstances"), Malformed},
		{view("POST /?Action=DescribeInstances", "Action=TerminateInstances", "Content-Type: application/x-www-form-urlencoded"), Malformed},
		{form("Action=DescribeInstances&action=TerminateInstances"), Malformed},
		{form("Action=TerminateInstances&InstanceId.1=i-12345678&InstanceId.1=i-87654321"), Malformed},
		{form("Action=DescribeInstances;x=1"), Malformed},
		{form("Action=%zz"), Malformed},
		{form("Action=NoSuchThing"), UnknownAction},
		{form("Action=describeinstances"), UnknownAction},
		{form("Action=Describe*"), UnknownAction},
		{view("POST /other?Action=DescribeInstances", ""), UnknownAction},
		{view("PUT /?Action=DescribeInstances", ""), BadMethod},
		{view("POST /?Action=DescribeInstances", "Action=TerminateInstances", "Content-Type: text/plain"), Malformed},
		{view("POST /?Action=DescribeInstances", "Action=TerminateInstances"), Malformed},
		{view("GET /?Action=DescribeInstances", "Action=TerminateInstances", "Content-Type: application/x-www-form-urlencoded"), Malformed},
		{view("POST /", "Action=DescribeInstances", "Content-Type: application/x-www-form-urlencoded", "Content-Encoding: gzip"), Malformed},
		{form("Action=TerminateInstances"), UnclearTarget},
		{form("Action=TerminateInstances&InstanceId.1=i-*"), UnclearTarget},
		{form("Action=TerminateInstances&InstanceId.1=%20i-12345678"), UnclearTarget},
		{form("Action=TerminateInstances&InstanceId.1=i-12345678+"), UnclearTarget},
		{form("Action=RunInstances&ImageId=ami-12345678&LaunchTemplate.LaunchTemplateName=web"), UnclearTarget},
		{form("Action=AuthorizeSecurityGroupIngress&GroupName=default"), UnclearTarget},
	}
	for _, test := range tests {
		d, err := Derive(&ec2Service, test.view)
		refusal, ok := err.(*Refusal)
		if !ok || refusal.Reason != test.want {
			t.Errorf("%s: needs %q, error %v; want reason %d", test.view.Query, needs(d), err, test.want)
		}
	}
}

func target(name, body string) *View {
	return view("POST /", body, "X-Amz-Target: "+name, "Content-Type: application/x-amz-json-1.0")
}

func TestJSONOperations(t *testing.T) {
	const table = "arn:aws:dynamodb:eu-west-1:123456789012:table/"
	tests := []struct {
		service *Service
		view    *View
		want    string
	}{
		{&ddbService, target("DynamoDB_20120810.ListTables", "{}"), "dynamodb:ListTables"},
		{&ddbService, target("DynamoDB_20120810.GetItem", `{"TableName":"music","Key":{"a":{"S":"1"}}}`), "dynamodb:GetItem " + table + "music"},
		{&ddbService, target("DynamoDB_20120810.CreateTable", `{"TableName":"music"}`), "dynamodb:CreateTable " + table + "music"},
		{&ddbService, target("DynamoDB_20120810.BatchGetItem", `{"RequestItems":{"music":{"Keys":[]},"films":{}}}`),
			"dynamodb:BatchGetItem " + table + "films " + table + "music"},
		{&kmsService, target("TrentService.Decrypt", `{"KeyId":"arn:aws:kms:eu-west-1:123456789012:key/1234","CiphertextBlob":"AA=="}`),
			"kms:Decrypt arn:aws:kms:eu-west-1:123456789012:key/1234"},
	}
	for _, test := range tests {
		d, err := Derive(test.service, test.view)
		if err != nil || needs(d) != test.want {
			t.Errorf("got %q, error %v; want %q", needs(d), err, test.want)
		}
	}
}

// Security checklist A-3: duplicate names, invalid UTF-8 and depth are refused.
func TestJSONRefusals(t *testing.T) {
	tests := []struct {
		view *View
		want Reason
	}{
		{target("", "{}"), MissingAction},
		{target("DynamoDB_20120810", "{}"), UnknownAction},
		{target("DynamoDB_20111205.GetItem", "{}"), UnknownAction},
		{target("DynamoDB_20120810.Explode", "{}"), UnknownAction},
		{target("DynamoDB_20120810.GetItem", `{"TableName":"a","TableName":"b"}`), Malformed},
		{target("DynamoDB_20120810.GetItem", `{"TableName":"a"} {"TableName":"b"}`), Malformed},
		{target("DynamoDB_20120810.GetItem", `{"TableName":"a"}x`), Malformed},
		{target("DynamoDB_20120810.GetItem", "{\"TableName\":\"\xff\"}"), Malformed},
		{target("DynamoDB_20120810.GetItem", `[]`), Malformed},
		{target("DynamoDB_20120810.GetItem", `{"a":`+strings.Repeat("[", 10_000)), Malformed},
		{target("DynamoDB_20120810.GetItem", `{"a":`+strings.Repeat("[", 100)+strings.Repeat("]", 100)+`}`), Malformed},
		{target("DynamoDB_20120810.GetItem", `{}`), UnclearTarget},
		{target("DynamoDB_20120810.GetItem", `{"TableName":"a*"}`), UnclearTarget},
		{view("GET /", "", "X-Amz-Target: DynamoDB_20120810.ListTables"), BadMethod},
		{view("POST /", "{}", "X-Amz-Target: DynamoDB_20120810.ListTables", "Content-Type: text/plain"), Malformed},
	}
	for _, test := range tests {
		d, err := Derive(&ddbService, test.view)
		refusal, ok := err.(*Refusal)
		if !ok || refusal.Reason != test.want {
			t.Errorf("%v: needs %q, error %v; want reason %d", test.view.Header, needs(d), err, test.want)
		}
	}
}

func FuzzDeriveS3(f *testing.F) {
	f.Add("GET", "/photos/a/b", "versionId=1", "", "")
	f.Add("POST", "/photos", "delete", "", "<Delete><Object><Key>a</Key></Object></Delete>")
	f.Add("PUT", "/photos/a", "", "other/x?versionId=2", "")
	f.Fuzz(func(t *testing.T, method, path, query, source, body string) {
		v := view("GET /", body)
		v.Method, v.Path, v.Query = method, path, query
		if source != "" {
			v.Header.Set("X-Amz-Copy-Source", source)
		}
		d, err := Derive(&s3Service, v)
		if err != nil {
			return
		}
		if len(d.Needs) == 0 || d.Operation == "" {
			t.Fatalf("%s %s?%s is let through without a need", method, path, query)
		}
		for _, n := range d.Needs {
			for _, arn := range n.Resources {
				if !strings.HasPrefix(arn, "arn:aws:s3:::") || strings.Contains(arn, "/../") || strings.HasSuffix(arn, "/..") {
					t.Fatalf("%s on %q", n.Action, arn)
				}
			}
		}
	})
}

func FuzzDeriveForm(f *testing.F) {
	f.Add("Action=TerminateInstances&InstanceId.1=i-12345678")
	f.Fuzz(func(t *testing.T, body string) {
		d, err := Derive(&ec2Service, form(body))
		if err == nil && (len(d.Needs) != 1 || !strings.HasPrefix(d.Needs[0].Action, "ec2:")) {
			t.Fatalf("%q needs %q", body, needs(d))
		}
	})
}

func FuzzDeriveJSON(f *testing.F) {
	f.Add(`{"TableName":"a","x":[{"TableName":"b"}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		d, err := Derive(&ddbService, target("DynamoDB_20120810.GetItem", body))
		if err == nil && len(d.Needs[0].Resources) == 0 {
			t.Fatalf("%q needs no table", body)
		}
	})
}
