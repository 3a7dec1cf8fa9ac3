package gateway

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// maxDeleteKeys is S3's own limit for one multi-object delete.
const maxDeleteKeys = 1000

// s3Body reads the bodies that actions or context stand in.
func (d *Derived) s3Body(r *s3Request) error {
	switch extra := r.row.extra; {
	case extra&bodyDelete != 0:
		return d.deleteList(r)
	case extra&(bodyObjectTags|bodyBucketTags) != 0:
		return d.tagSet(r)
	case extra&bodyCreate != 0:
		return d.bucketConfiguration(r)
	}
	return nil
}

// deleteList adds the right to delete each object of a multi-object delete.
func (d *Derived) deleteList(r *s3Request) error {
	root, err := r.xmlBody(maxDeleteList, "Delete")
	if err != nil {
		return err
	}
	var plain, versions []string
	for _, child := range root.children {
		if child.name == "Quiet" {
			continue
		}
		key, hasKey, err := child.only("Key")
		if err != nil || child.name != "Object" || !hasKey || key == "" {
			return badXML()
		}
		version, hasVersion, err := child.only("VersionId")
		if err != nil || hasVersion && version == "" {
			return badXML()
		}
		if err := r.service.checkKey(key); err != nil {
			return err
		}
		if hasVersion {
			versions = append(versions, objectARN(r.bucket, key))
		} else {
			plain = append(plain, objectARN(r.bucket, key))
		}
	}
	all := append(plain[:len(plain):len(plain)], versions...)
	if len(all) == 0 || len(all) > maxDeleteKeys {
		return badXML()
	}
	if len(plain) > 0 {
		d.need("DeleteObject", plain...)
	}
	if len(versions) > 0 {
		d.need("DeleteObjectVersion", versions...)
	}
	if r.bypasses() {
		d.need("BypassGovernanceRetention", all...)
	}
	return nil
}

// tagSet reads the tags that PutObjectTagging and PutBucketTagging put.
func (d *Derived) tagSet(r *s3Request) error {
	root, err := r.xmlBody(maxSmallXML, "Tagging")
	if err != nil {
		return err
	}
	if len(root.children) != 1 || root.children[0].name != "TagSet" {
		return badXML()
	}
	tags, err := root.children[0].tags()
	if err != nil {
		return err
	}
	if r.row.extra&bodyObjectTags != 0 {
		d.objectTags(tags)
	} else {
		d.Tags = tags
	}
	return nil
}

// bucketConfiguration reads where a new bucket goes and its tags. No body at
// all means the service's own region.
func (d *Derived) bucketConfiguration(r *s3Request) error {
	body, err := r.Body(maxSmallXML)
	if err != nil || len(bytes.TrimSpace(body)) == 0 {
		return err
	}
	root, err := parseXML(body, "CreateBucketConfiguration")
	if err != nil {
		return err
	}
	place, given, err := root.only("LocationConstraint")
	if err != nil {
		return err
	}
	if given && place != "" {
		d.key("s3:locationconstraint", place)
	}
	for _, child := range root.children {
		switch child.name {
		case "LocationConstraint":
		case "Tags":
			if d.Tags != nil {
				return badXML()
			}
			if d.Tags, err = child.tags(); err != nil {
				return err
			}
		default: // Location and Bucket are those of directory buckets
			return badXML()
		}
	}
	if len(d.Tags) > 0 {
		d.need("TagResource", bucketARN(r.bucket))
	}
	return nil
}

func badXML() error {
	return refuse(BadXML, "The XML you provided was not well-formed or did not validate against our published schema")
}

// element is an XML element: children, or text.
type element struct {
	name     string
	text     string
	children []*element
}

// only returns the text of the only child of a name.
func (e *element) only(name string) (text string, given bool, err error) {
	for _, c := range e.children {
		if !strings.EqualFold(c.name, name) {
			continue
		}
		if given || c.name != name || c.children != nil {
			return "", false, badXML()
		}
		text, given = c.text, true
	}
	return text, given, nil
}

// tags reads a list of Tag elements.
func (e *element) tags() ([]Tag, error) {
	tags := make([]Tag, 0, len(e.children))
	for _, c := range e.children {
		key, hasKey, err := c.only("Key")
		if err != nil {
			return nil, err
		}
		value, hasValue, err := c.only("Value")
		if err != nil {
			return nil, err
		}
		if c.name != "Tag" || !hasKey || !hasValue || key == "" || len(c.children) != 2 {
			return nil, badXML()
		}
		tags = append(tags, Tag{key, value})
	}
	return tags, distinct(tags)
}

// xmlBody reads the request's body and its root element.
func (r *s3Request) xmlBody(limit int64, root string) (*element, error) {
	body, err := r.Body(limit)
	if err != nil {
		return nil, err
	}
	return parseXML(body, root)
}

// maxXMLDepth is more than any request of S3 needs.
const maxXMLDepth = 8

// parseXML reads a document whose root has the given name. Document types and
// processing instructions other than the XML declaration are refused, so there
// are no entities to expand; so is text between elements.
func parseXML(body []byte, root string) (*element, error) {
	dec := xml.NewDecoder(bytes.NewReader(body))
	var top *element
	var stack []*element
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, badXML()
		}
		switch t := token.(type) {
		case xml.StartElement:
			e := &element{name: t.Name.Local}
			switch {
			case len(stack) == 0 && (top != nil || e.name != root), len(stack) == maxXMLDepth:
				return nil, badXML()
			case len(stack) == 0:
				top = e
			default:
				parent := stack[len(stack)-1]
				if strings.TrimSpace(parent.text) != "" {
					return nil, badXML()
				}
				parent.children = append(parent.children, e)
			}
			stack = append(stack, e)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if err := addText(stack, t); err != nil {
				return nil, err
			}
		case xml.Directive:
			return nil, badXML()
		case xml.ProcInst:
			if t.Target != "xml" {
				return nil, badXML()
			}
		}
	}
	if top == nil || len(stack) != 0 {
		return nil, badXML()
	}
	return top, nil
}

// addText adds text to the innermost element. An element that has children
// holds nothing but white space.
func addText(stack []*element, text xml.CharData) error {
	blank := len(bytes.TrimSpace(text)) == 0
	switch {
	case len(stack) == 0 && blank:
		return nil
	case len(stack) == 0:
		return badXML()
	}
	if e := stack[len(stack)-1]; e.children == nil {
		e.text += string(text)
	} else if !blank {
		return badXML()
	}
	return nil
}
