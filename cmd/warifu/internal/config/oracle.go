package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Oracle is how the server presents itself to Oracle's clients.
type Oracle struct {
	Region    string // the only region there is
	RegionKey string // its short name
	Limits    []Limit
}

// Limit is a quota that is not Oracle's default; 0 is none.
type Limit struct {
	Name string
	Most int
}

// The region that is served unless another is named: one that Oracle does not have.
const (
	defaultRegion    = "xx-warifu-1"
	defaultRegionKey = "WF1"
)

var (
	regionName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`)
	regionKey  = regexp.MustCompile(`^[A-Z0-9]{3}$`)
)

func setRegion(c *Config, v string) error {
	if !regionName.MatchString(v) || len(v) > 64 {
		return fmt.Errorf("must be the name of a region, such as %s, not %q", defaultRegion, v)
	}
	c.Oracle.Region = v
	return nil
}

func setRegionKey(c *Config, v string) error {
	if !regionKey.MatchString(v) {
		return fmt.Errorf("must be three capital letters or digits, such as %s, not %q", defaultRegionKey, v)
	}
	c.Oracle.RegionKey = v
	return nil
}

// setLimits reads quotas, each as NAME=NUMBER. The program knows the names.
func setLimits(c *Config, v string) error {
	c.Oracle.Limits = nil
	for _, s := range list(v) {
		name, number, _ := strings.Cut(s, "=")
		n, err := strconv.Atoi(strings.TrimSpace(number))
		if name = strings.TrimSpace(name); name == "" || err != nil || n < 0 {
			return fmt.Errorf("must be quotas such as policies=500, or 0 for none, not %q", s)
		}
		if slices.ContainsFunc(c.Oracle.Limits, func(l Limit) bool { return l.Name == name }) {
			return fmt.Errorf("%s is given twice", name)
		}
		c.Oracle.Limits = append(c.Oracle.Limits, Limit{name, n})
	}
	return nil
}

func getLimits(c *Config) string {
	all := make([]string, len(c.Oracle.Limits))
	for i, l := range c.Oracle.Limits {
		all[i] = l.Name + "=" + strconv.Itoa(l.Most)
	}
	return strings.Join(all, ", ")
}
