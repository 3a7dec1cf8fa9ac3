package ec2demo

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const namespace = "http://ec2.amazonaws.com/doc/2016-11-15/"

// maxForm is the longest request that is read.
const maxForm = 1 << 20

// maxInstances bounds what RunInstances may make, so that a demonstration does
// not grow for ever.
const maxInstances = 100

// Server is the pretended EC2 of one region. It is an http.Handler.
type Server struct {
	mu        sync.Mutex
	region    string
	now       func() time.Time
	instances []instance
	made      int // instances ever made; their ids count up
}

// New returns a service with two instances, "web" running and "batch" stopped.
func New(region string, now func() time.Time) *Server {
	s := &Server{region: region, now: now}
	web, batch := s.start("t3.micro", "ami-0a11ce55ed0000001"), s.start("t3.large", "ami-0a11ce55ed0000001")
	web.Tags = []tag{{"Name", "web"}}
	batch.Tags = []tag{{"Name", "batch"}}
	batch.State = stopped
	s.instances = append(s.instances, web, batch)
	return s
}

type state struct {
	Code int    `xml:"code"`
	Name string `xml:"name"`
}

var (
	running    = state{16, "running"}
	stopped    = state{80, "stopped"}
	terminated = state{48, "terminated"}
)

type tag struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

type instance struct {
	ID     string `xml:"instanceId"`
	Image  string `xml:"imageId"`
	State  state  `xml:"instanceState"`
	Type   string `xml:"instanceType"`
	Launch string `xml:"launchTime"`
	Zone   string `xml:"placement>availabilityZone"`
	IP     string `xml:"privateIpAddress"`
	Tags   []tag  `xml:"tagSet>item"`
}

// start makes an instance. Call it with the lock held.
func (s *Server) start(kind, image string) instance {
	s.made++
	return instance{
		ID: fmt.Sprintf("i-%017x", 0xde000000+s.made), Image: image, State: running, Type: kind,
		Launch: s.now().UTC().Format("2006-01-02T15:04:05.000Z"), Zone: s.region + "a",
		IP: "10.0.0." + strconv.Itoa(9+s.made%240),
	}
}

type problem struct {
	status        int
	code, message string
}

// action answers one operation with the fields of its response.
type action func(s *Server, form url.Values, account string) (any, *problem)

func actions() map[string]action {
	return map[string]action{
		"DescribeInstances":         (*Server).describeInstances,
		"DescribeRegions":           (*Server).describeRegions,
		"DescribeAvailabilityZones": (*Server).describeZones,
		"DescribeTags":              (*Server).describeTags,
		"RunInstances":              (*Server).runInstances,
		"StartInstances":            turn(running),
		"StopInstances":             turn(stopped),
		"TerminateInstances":        turn(terminated),
		"CreateTags":                (*Server).createTags,
	}
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := r.Header.Get("Warifu-Request-Id")
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		fail(w, id, &problem{http.StatusBadRequest, "InvalidRequest", "The request received was invalid."})
		return
	}
	account := r.Header.Get("Warifu-Account")
	if account == "" {
		fail(w, id, &problem{http.StatusUnauthorized, "AuthFailure", "AWS was not able to validate the provided access credentials"})
		return
	}
	name := r.Form.Get("Action")
	act := actions()[name]
	if act == nil {
		fail(w, id, &problem{http.StatusBadRequest, "InvalidAction", "The action " + name + " is not valid for this web service."})
		return
	}
	s.mu.Lock()
	out, p := act(s, r.Form, account)
	s.mu.Unlock()
	if p != nil {
		fail(w, id, p)
		return
	}
	write(w, http.StatusOK, envelope{XMLName: xml.Name{Local: name + "Response"}, NS: namespace, RequestID: id, Out: out})
}

// envelope is a response: its fields stand beside the request id.
type envelope struct {
	XMLName   xml.Name
	NS        string `xml:"xmlns,attr"`
	RequestID string `xml:"requestId"`
	Out       any
}

type errorDocument struct {
	XMLName   xml.Name `xml:"Response"`
	Code      string   `xml:"Errors>Error>Code"`
	Message   string   `xml:"Errors>Error>Message"`
	RequestID string   `xml:"RequestID"`
}

func fail(w http.ResponseWriter, id string, p *problem) {
	write(w, p.status, errorDocument{Code: p.code, Message: p.message, RequestID: id})
}

func write(w http.ResponseWriter, status int, doc any) {
	b, err := xml.Marshal(doc)
	if err != nil {
		http.Error(w, "cannot write the answer", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/xml;charset=UTF-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, xml.Header+string(b)) // the client has gone if this fails
}

type reservation struct {
	ID        string     `xml:"reservationId"`
	Owner     string     `xml:"ownerId"`
	Instances []instance `xml:"instancesSet>item"`
}

func reservationOf(account string, list []instance) reservation {
	return reservation{ID: "r-" + strings.TrimPrefix(list[0].ID, "i-"), Owner: account, Instances: list}
}

type reservationSet struct {
	XMLName xml.Name      `xml:"reservationSet"`
	Items   []reservation `xml:"item"`
}

func (s *Server) describeInstances(form url.Values, account string) (any, *problem) {
	chosen, p := s.choose(form, false)
	var set reservationSet
	for _, i := range chosen {
		set.Items = append(set.Items, reservationOf(account, []instance{*i}))
	}
	return set, p
}

// choose finds the instances that InstanceId.N names; all of them if none is
// named and that is allowed.
func (s *Server) choose(form url.Values, required bool) ([]*instance, *problem) {
	var chosen []*instance
	for n := 1; form.Has("InstanceId." + strconv.Itoa(n)); n++ {
		id := form.Get("InstanceId." + strconv.Itoa(n))
		i := slices.IndexFunc(s.instances, func(i instance) bool { return i.ID == id })
		if i < 0 {
			return nil, &problem{http.StatusBadRequest, "InvalidInstanceID.NotFound", "The instance ID '" + id + "' does not exist"}
		}
		chosen = append(chosen, &s.instances[i])
	}
	switch {
	case chosen == nil && required:
		return nil, &problem{http.StatusBadRequest, "MissingParameter", "The request must contain the parameter InstanceId"}
	case chosen == nil:
		for i := range s.instances {
			chosen = append(chosen, &s.instances[i])
		}
	}
	return chosen, nil
}

type regionInfo struct {
	Name     string `xml:"regionName"`
	Endpoint string `xml:"regionEndpoint"`
	OptIn    string `xml:"optInStatus"`
}

func (s *Server) describeRegions(url.Values, string) (any, *problem) {
	return struct {
		XMLName xml.Name     `xml:"regionInfo"`
		Items   []regionInfo `xml:"item"`
	}{Items: []regionInfo{{s.region, "ec2." + s.region + ".amazonaws.com", "opt-in-not-required"}}}, nil
}

type zoneInfo struct {
	Name   string `xml:"zoneName"`
	State  string `xml:"zoneState"`
	Region string `xml:"regionName"`
}

func (s *Server) describeZones(url.Values, string) (any, *problem) {
	return struct {
		XMLName xml.Name   `xml:"availabilityZoneInfo"`
		Items   []zoneInfo `xml:"item"`
	}{Items: []zoneInfo{{s.region + "a", "available", s.region}}}, nil
}

type tagInfo struct {
	Resource string `xml:"resourceId"`
	Kind     string `xml:"resourceType"`
	tag
}

func (s *Server) describeTags(url.Values, string) (any, *problem) {
	set := struct {
		XMLName xml.Name  `xml:"tagSet"`
		Items   []tagInfo `xml:"item"`
	}{}
	for _, i := range s.instances {
		for _, t := range i.Tags {
			set.Items = append(set.Items, tagInfo{i.ID, "instance", t})
		}
	}
	return set, nil
}

func (s *Server) runInstances(form url.Values, account string) (any, *problem) {
	count, err := strconv.Atoi(form.Get("MaxCount"))
	if err != nil || count < 1 || form.Get("ImageId") == "" {
		return nil, &problem{http.StatusBadRequest, "MissingParameter", "The request must contain the parameters ImageId, MinCount and MaxCount"}
	}
	if len(s.instances)+count > maxInstances {
		return nil, &problem{http.StatusBadRequest, "InstanceLimitExceeded", "You have requested more instances than your current instance limit allows."}
	}
	kind := form.Get("InstanceType")
	if kind == "" {
		kind = "t3.micro"
	}
	var list []instance
	for range count {
		list = append(list, s.start(kind, form.Get("ImageId")))
	}
	s.instances = append(s.instances, list...)
	r := reservationOf(account, list)
	return []any{element("reservationId", r.ID), element("ownerId", r.Owner), struct {
		XMLName xml.Name   `xml:"instancesSet"`
		Items   []instance `xml:"item"`
	}{Items: list}}, nil
}

type text struct {
	XMLName xml.Name
	Text    string `xml:",chardata"`
}

func element(name, value string) text { return text{XMLName: xml.Name{Local: name}, Text: value} }

type change struct {
	ID       string `xml:"instanceId"`
	Current  state  `xml:"currentState"`
	Previous state  `xml:"previousState"`
}

// turn puts the named instances into a state. What is terminated stays so.
func turn(to state) action {
	return func(s *Server, form url.Values, _ string) (any, *problem) {
		chosen, p := s.choose(form, true)
		set := struct {
			XMLName xml.Name `xml:"instancesSet"`
			Items   []change `xml:"item"`
		}{}
		for _, i := range chosen {
			if i.State == terminated && to != terminated {
				return nil, &problem{http.StatusBadRequest, "IncorrectInstanceState", "The instance '" + i.ID + "' is not in a state from which it can be changed."}
			}
			set.Items = append(set.Items, change{i.ID, to, i.State})
			i.State = to
		}
		return set, p
	}
}

func (s *Server) createTags(form url.Values, _ string) (any, *problem) {
	for n := 1; form.Has("ResourceId." + strconv.Itoa(n)); n++ {
		id := form.Get("ResourceId." + strconv.Itoa(n))
		i := slices.IndexFunc(s.instances, func(i instance) bool { return i.ID == id })
		if i < 0 {
			return nil, &problem{http.StatusBadRequest, "InvalidID", "The ID '" + id + "' is not valid"}
		}
		for k := 1; form.Has("Tag." + strconv.Itoa(k) + ".Key"); k++ {
			s.instances[i].tag(form.Get("Tag."+strconv.Itoa(k)+".Key"), form.Get("Tag."+strconv.Itoa(k)+".Value"))
		}
	}
	return element("return", "true"), nil
}

func (i *instance) tag(key, value string) {
	i.Tags = append(slices.DeleteFunc(i.Tags, func(t tag) bool { return t.Key == key }), tag{key, value})
}
