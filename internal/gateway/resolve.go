package gateway

import (
	"regexp"
	"slices"
	"strings"

	"warifu/policy/aws/catalog"
)

// resolve tells the ARNs that an action is authorised on from its parameters.
//
// For each resource type of the action it fills the variables of the type's ARN
// format with parameters of the same name, whatever list or structure they
// stand in, and takes parameters that are ARNs of the type or, in EC2, ids with
// its prefix. A creation is authorised on "type/*", as AWS does, since the new
// resource has no name yet. If a type that the action requires cannot be told
// otherwise, or none of its alternatives, the request is refused: a statement
// that denies one resource would not see it.
func resolve(service string, v *View, info catalog.Info, params []param) ([]string, error) {
	if len(info.Resources) == 0 {
		return nil, nil
	}
	if service == "ec2" {
		if err := onlyIDs(info, params); err != nil {
			return nil, err
		}
	}
	var arns []string
	for _, on := range info.Resources {
		kind, _ := catalog.ResourceTypeOf(service, on.Type)
		found, err := (&lookup{service, v, kind.ARN, params}).find()
		if err != nil {
			return nil, err
		}
		if found == nil && on.Required {
			if !creates(info) || kind.ARN == "" {
				return nil, refuse(UnclearTarget, "The gateway cannot tell which "+on.Type+" this "+info.Name+" is about.")
			}
			found = []string{fill(kind.ARN, v, func(string) string { return "*" })}
		}
		arns = append(arns, found...)
	}
	if arns == nil && info.Access != catalog.List && len(params) > 0 && !creates(info) {
		return nil, refuse(UnclearTarget, "The gateway cannot tell which resource this "+info.Name+" is about.")
	}
	slices.Sort(arns)
	return slices.Compact(arns), nil
}

// creates reports whether the action makes what it is authorised on.
func creates(info catalog.Info) bool {
	if info.Access != catalog.Write {
		return false
	}
	return slices.ContainsFunc([]string{"Create", "Run", "Allocate", "Import", "Request", "Register", "Copy"},
		func(verb string) bool { return strings.HasPrefix(info.Name, verb) })
}

// lookup is the search for one resource type.
type lookup struct {
	service string
	view    *View
	format  string // the type's ARN format
	params  []param
}

// variable is a part of an ARN format.
var variable = regexp.MustCompile(`\$\{([^}]+)\}`)

// index is a list position in a parameter's name: InstanceId.1, Tags.member.2.
var index = regexp.MustCompile(`(?:\.(?:member|entry))?\.\d+`)

func (l *lookup) find() ([]string, error) {
	arns := l.byARN()
	names := l.variables()
	var err error
	switch len(names) {
	case 0: // the ARN has no name of its own: it is the account's
		if l.format != "" && len(arns) == 0 {
			arns = append(arns, fill(l.format, l.view, nil))
		}
	case 1:
		values := l.values(names[0])
		if l.service == "ec2" {
			values = append(values, l.ec2IDs()...)
		}
		for _, value := range values {
			if strings.HasPrefix(value, "arn:") {
				continue // byARN has it if it is of this type
			}
			if err = plain(value); err != nil {
				return nil, err
			}
			arns = append(arns, fill(l.format, l.view, func(string) string { return value }))
		}
	default:
		arns, err = l.several(names, arns)
	}
	return arns, err
}

// several fills a format with more than one variable; each must have exactly
// one value, else which belongs to which is unknown.
func (l *lookup) several(names, arns []string) ([]string, error) {
	chosen := map[string]string{}
	for _, name := range names {
		values := l.values(name)
		slices.Sort(values)
		values = slices.Compact(values)
		if len(values) != 1 {
			return arns, nil
		}
		if err := plain(values[0]); err != nil {
			return nil, err
		}
		chosen[name] = values[0]
	}
	return append(arns, fill(l.format, l.view, func(name string) string { return chosen[name] })), nil
}

// variables are those of the format that are not the request's own.
func (l *lookup) variables() []string {
	var names []string
	for _, m := range variable.FindAllStringSubmatch(l.format, -1) {
		if m[1] != "Partition" && m[1] != "Region" && m[1] != "Account" {
			names = append(names, m[1])
		}
	}
	return names
}

// values are the parameters whose name, without list positions and structure,
// is the variable's, with or without the resource's own prefix.
func (l *lookup) values(name string) []string {
	var out []string
	for _, p := range l.params {
		path := index.ReplaceAllString(p.name, "")
		bare := path[strings.LastIndexByte(path, '.')+1:]
		own := strings.EqualFold(path, "Name") && strings.HasSuffix(name, "Name")
		if p.value != "" && (own || sameName(bare, name) || aliases[l.service+":"+path] == name) {
			out = append(out, lastOfURL(p))
		}
	}
	return out
}

// aliases are parameters whose name is not the variable's.
var aliases = map[string]string{
	"ec2:KeyName": "KeyPairName", "ec2:Placement.GroupName": "PlacementGroupName",
}

// sameName compares a parameter with a variable. Plural lists count, and so
// does the URL of what is named.
func sameName(parameter, name string) bool {
	return strings.EqualFold(parameter, name) || strings.EqualFold(parameter, name+"s") ||
		strings.EqualFold(parameter, strings.TrimSuffix(name, "Name")+"Url") && strings.HasSuffix(name, "Name")
}

// lastOfURL is the name at the end of a queue's URL, and other values as they are.
func lastOfURL(p param) string {
	if strings.HasSuffix(p.name, "Url") {
		return p.value[strings.LastIndexByte(p.value, '/')+1:]
	}
	return p.value
}

// byARN takes the parameters that are ARNs of this type.
func (l *lookup) byARN() []string {
	if l.format == "" {
		return nil
	}
	var out []string
	var shape *regexp.Regexp
	for _, p := range l.params {
		if !strings.HasPrefix(p.value, "arn:") {
			continue
		}
		if shape == nil {
			shape = arnShape(l.format)
		}
		if shape.MatchString(p.value) {
			out = append(out, p.value)
		}
	}
	return out
}

// arnShape matches the ARNs that a format stands for.
func arnShape(format string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString("^")
	last := 0
	for _, at := range variable.FindAllStringSubmatchIndex(format, -1) {
		b.WriteString(regexp.QuoteMeta(format[last:at[0]]))
		switch format[at[2]:at[3]] {
		case "Partition", "Region", "Account":
			b.WriteString("[a-z0-9-]*")
		default:
			b.WriteString("[^:]+")
		}
		last = at[1]
	}
	b.WriteString(regexp.QuoteMeta(format[last:]) + "$")
	return regexp.MustCompile(b.String())
}

// ec2ID is an EC2 resource id: a prefix and 8 or 17 hexadecimal digits.
var ec2ID = regexp.MustCompile(`^(?i)([a-z][a-z-]*)-([0-9a-f]{8}|[0-9a-f]{17})$`)

// ec2Prefixes are the id prefixes that are not the resource type's own name.
var ec2Prefixes = map[string]string{
	"i": "instance", "ami": "image", "aki": "image", "ari": "image", "vol": "volume", "snap": "snapshot",
	"sg": "security-group", "sgr": "security-group-rule", "eni": "network-interface", "lt": "launch-template",
	"rtb": "route-table", "igw": "internet-gateway", "eigw": "egress-only-internet-gateway", "nat": "natgateway",
	"acl": "network-acl", "eipalloc": "elastic-ip", "dopt": "dhcp-options", "cgw": "customer-gateway",
	"vgw": "vpn-gateway", "vpn": "vpn-connection", "vpce": "vpc-endpoint", "vpce-svc": "vpc-endpoint-service",
	"pcx": "vpc-peering-connection", "tgw": "transit-gateway", "tgw-attach": "transit-gateway-attachment",
	"tgw-rtb": "transit-gateway-route-table", "cr": "capacity-reservation", "h": "dedicated-host", "pl": "prefix-list",
	"fl": "vpc-flow-log", "sir": "spot-instances-request", "sfr": "spot-fleet-request", "key": "key-pair",
	"pg": "placement-group", "subnet": "subnet", "vpc": "vpc", "fleet": "fleet", "ipam": "ipam",
	"ipam-pool": "ipam-pool", "ipam-scope": "ipam-scope", "cagw": "carrier-gateway", "afi": "fpga-image",
}

// onlyIDs refuses EC2 resources that are given by a name which only the
// upstream can turn into the id that policies speak of.
func onlyIDs(info catalog.Info, params []param) error {
	for _, p := range params {
		path := index.ReplaceAllString(p.name, "")
		kind := ""
		switch path[strings.LastIndexByte(path, '.')+1:] {
		case "SecurityGroup", "GroupName", "SourceSecurityGroupName":
			kind = "security-group"
		case "LaunchTemplateName":
			kind = "launch-template"
		}
		if kind == "" || path == "Placement.GroupName" || strings.HasPrefix(info.Name, "Create") {
			continue
		}
		if slices.ContainsFunc(info.Resources, func(on catalog.ActionResource) bool { return on.Type == kind }) {
			return refuse(UnclearTarget, "Name the "+kind+" by its id: the gateway cannot tell which one "+printable(p.value)+" is.")
		}
	}
	return nil
}

// ec2IDs takes every parameter that is an id of this type, whatever its name.
func (l *lookup) ec2IDs() []string {
	var out []string
	for _, p := range l.params {
		m := ec2ID.FindStringSubmatch(p.value)
		if m == nil {
			continue
		}
		kind := strings.ToLower(m[1])
		if long, short := ec2Prefixes[kind]; short {
			kind = long
		}
		if strings.Contains(l.format, ":"+kind+"/") {
			out = append(out, strings.ToLower(p.value))
		}
	}
	return out
}

// resourceName is what may stand for a variable. Wildcards must not: policy
// would read them as themselves, an upstream perhaps as many. Nor may white
// space at either end, which an upstream might trim.
var resourceName = regexp.MustCompile(`^[A-Za-z0-9_./+=,@$#! ()':-]+$`)

func plain(value string) error {
	if len(value) > 2048 || !resourceName.MatchString(value) || strings.TrimSpace(value) != value {
		return refuse(UnclearTarget, "The parameter value "+printable(value)+" cannot name a resource.")
	}
	return nil
}

// fill puts the request's partition, region and account and the given values
// into an ARN format.
func fill(format string, v *View, value func(string) string) string {
	return variable.ReplaceAllStringFunc(format, func(m string) string {
		switch name := m[2 : len(m)-1]; name {
		case "Partition":
			return "aws"
		case "Region":
			return v.Region
		case "Account":
			return v.Account
		default:
			return value(name)
		}
	})
}
