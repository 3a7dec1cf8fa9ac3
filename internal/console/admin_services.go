package console

import (
	"encoding/xml"
	"net/url"
	"strconv"
	"time"

	"warifu/internal/fault"
	"warifu/internal/ops"
)

const servicesPath = "/console/services"

func serviceRoutes() []Route {
	return []Route{
		{Method: "GET", Pattern: servicesPath, Who: SignedIn, Nav: "nav.services", Icon: "cloud", do: servicesPage},
		{Method: "GET", Pattern: servicesPath + "/ec2", Who: SignedIn, do: instancesPage},
	}
}

// describeInstances is what the page of EC2 asks for.
const describeInstances = "ec2:DescribeInstances"

// servicesData are the services behind the gateway.
type servicesData struct {
	Services []serviceRow
}

type serviceRow struct {
	Service
	Href string // of its page; "" if it has none
	May  bool   // that page would show something
}

func servicesPage(rq *request) error {
	d := servicesData{}
	may, err := run(rq, ops.MayI, ops.MayIn{Actions: []string{describeInstances}})
	if err != nil {
		return err
	}
	for _, s := range rq.c.Services {
		row := serviceRow{Service: s}
		if s.Name == "ec2" && rq.c.Fetch != nil {
			row.Href, row.May = servicesPath+"/ec2", may[describeInstances]
		}
		d.Services = append(d.Services, row)
	}
	return rq.page("admin/services", rq.t("nav.services"), d)
}

// instance is an instance as EC2 describes it.
type instance struct {
	ID     string `xml:"instanceId"`
	State  string `xml:"instanceState>name"`
	Type   string `xml:"instanceType"`
	Zone   string `xml:"placement>availabilityZone"`
	IP     string `xml:"privateIpAddress"`
	Launch string `xml:"launchTime"`
	Tags   []struct {
		Key   string `xml:"key"`
		Value string `xml:"value"`
	} `xml:"tagSet>item"`
}

// Name is the value of the tag Name.
func (i instance) Name() string {
	for _, t := range i.Tags {
		if t.Key == "Name" {
			return t.Value
		}
	}
	return ""
}

// Launched is when it was started.
func (i instance) Launched() time.Time {
	t, _ := time.Parse(time.RFC3339, i.Launch) // one that cannot be read is "never"
	return t
}

// described is the answer to DescribeInstances (Amazon EC2 API reference).
type described struct {
	Instances []instance `xml:"reservationSet>item>instancesSet>item"`
	Next      string     `xml:"nextToken"`
}

// instancesAsked is how many instances a page asks for: what EC2 gives at most
// with filters, and few enough for one page.
const instancesAsked = 100

type instancesData struct {
	Instances []instance
	Pages     Pages
}

// instancesPage lists the instances of EC2, asked for through the gateway in the
// person's own name: policy decides there as it does for a signed request.
func instancesPage(rq *request) error {
	if rq.c.Fetch == nil {
		return errNobody
	}
	form := url.Values{"Action": {"DescribeInstances"}, "Version": {"2016-11-15"}, "MaxResults": {strconv.Itoa(instancesAsked)}}
	if after := rq.query("after"); after != "" {
		form.Set("NextToken", after)
	}
	status, body, err := rq.c.Fetch(rq.r.Context(), rq.call(), "ec2", form)
	if err != nil {
		return err
	}
	var d described
	if status != 200 || xml.Unmarshal(body, &d) != nil {
		return fault.Of(fault.Unsupported, "service", "ec2")
	}
	return rq.page("admin/instances", rq.under("nav.services", servicesPath, rq.t("ec2.title")), instancesData{d.Instances, rq.pages(d.Next)})
}
