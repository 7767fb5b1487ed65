package web

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"regexp"
	"strings"
	"unicode/utf8"
)

// schemas are the JSON Schemas of the API (api/schemas.json). They stand in the OpenAPI document, and every body that comes
// in is held against them, so that the document and the door are one thing.
type schemas struct {
	raw   map[string]any
	regex map[string]*regexp.Regexp
}

// loadSchemas reads and compiles the schemas; an unknown keyword is refused, because it would not be enforced.
func loadSchemas(fsys embed.FS) (*schemas, error) {
	b, err := fsys.ReadFile("api/schemas.json")
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	v, err := parseJSON(b)
	if err != nil {
		return nil, fmt.Errorf("web: api/schemas.json: %w", err)
	}
	raw, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("web: api/schemas.json is not an object")
	}
	s := &schemas{raw: raw, regex: make(map[string]*regexp.Regexp)}
	for name, schema := range raw {
		if err := s.compile(schema); err != nil {
			return nil, fmt.Errorf("web: schema %s: %w", name, err)
		}
	}
	return s, nil
}

func (s *schemas) compile(v any) error {
	schema, ok := v.(map[string]any)
	if !ok {
		return errors.New("a schema is an object")
	}
	for key, val := range schema {
		switch key {
		case "properties":
			for _, sub := range val.(map[string]any) {
				if err := s.compile(sub); err != nil {
					return err
				}
			}
		case "items", "propertyNames":
			if err := s.compile(val); err != nil {
				return err
			}
		case "additionalProperties":
			if _, isBool := val.(bool); !isBool {
				if err := s.compile(val); err != nil {
					return err
				}
			}
		case "pattern":
			re, err := regexp.Compile(val.(string))
			if err != nil {
				return err
			}
			s.regex[val.(string)] = re
		case "$ref":
			if _, ok := s.raw[refName(val.(string))]; !ok {
				return fmt.Errorf("no schema %v", val)
			}
		case "type", "required", "enum", "minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum", "maxProperties",
			"description", "examples", "format", "contentEncoding":
		default:
			return fmt.Errorf("keyword %q is not enforced here", key)
		}
	}
	return nil
}

func refName(ref string) string { return strings.TrimPrefix(ref, "#/components/schemas/") }

// check holds a value against a named schema. The error names the place and the rule, never the value.
func (s *schemas) check(name string, v any) error {
	schema, ok := s.raw[name].(map[string]any)
	if !ok {
		return fmt.Errorf("no schema %q", name)
	}
	return s.value("", schema, v)
}

func (s *schemas) value(at string, schema map[string]any, v any) error {
	if ref, ok := schema["$ref"].(string); ok {
		return s.value(at, s.raw[refName(ref)].(map[string]any), v)
	}
	if enum, ok := schema["enum"].([]any); ok {
		found := false
		for _, e := range enum {
			found = found || e == v
		}
		if !found {
			return wrong(at, "is not one of the values allowed")
		}
	}
	want, _ := schema["type"].(string)
	switch x := v.(type) {
	case string:
		if want != "string" {
			return wrong(at, "must be of type "+want)
		}
		return s.text(at, schema, x)
	case bool:
		if want != "boolean" {
			return wrong(at, "must be of type "+want)
		}
	case nil:
		return wrong(at, "must not be null")
	case json.Number:
		return number(at, schema, want, x)
	case []any:
		if want != "array" {
			return wrong(at, "must be of type "+want)
		}
		if n, ok := limit(schema, "minItems"); ok && int64(len(x)) < n {
			return wrong(at, "has too few items")
		}
		if n, ok := limit(schema, "maxItems"); ok && int64(len(x)) > n {
			return wrong(at, "has too many items")
		}
		for i, item := range x {
			if err := s.value(fmt.Sprintf("%s/%d", at, i), schema["items"].(map[string]any), item); err != nil {
				return err
			}
		}
	case map[string]any:
		if want != "object" {
			return wrong(at, "must be of type "+want)
		}
		return s.object(at, schema, x)
	}
	return nil
}

func (s *schemas) text(at string, schema map[string]any, x string) error {
	n := int64(utf8.RuneCountInString(x))
	if m, ok := limit(schema, "minLength"); ok && n < m {
		return wrong(at, "is too short")
	}
	if m, ok := limit(schema, "maxLength"); ok && n > m {
		return wrong(at, "is too long")
	}
	if p, ok := schema["pattern"].(string); ok && !s.regex[p].MatchString(x) {
		return wrong(at, "does not have the form that is wanted")
	}
	return nil
}

// number takes integers and numbers of any length without ever making a large one.
func number(at string, schema map[string]any, want string, x json.Number) error {
	if want != "integer" && want != "number" {
		return wrong(at, "must be of type "+want)
	}
	if len(x) > 40 || strings.ContainsAny(string(x), "eE") {
		return wrong(at, "is a number out of range")
	}
	r, ok := new(big.Rat).SetString(string(x))
	if !ok || (want == "integer" && strings.Contains(string(x), ".")) {
		return wrong(at, "must be an integer")
	}
	if n, ok := limit(schema, "minimum"); ok && r.Cmp(new(big.Rat).SetInt64(n)) < 0 {
		return wrong(at, "is too small")
	}
	if n, ok := limit(schema, "maximum"); ok && r.Cmp(new(big.Rat).SetInt64(n)) > 0 {
		return wrong(at, "is too large")
	}
	return nil
}

func (s *schemas) object(at string, schema map[string]any, x map[string]any) error {
	if required, ok := schema["required"].([]any); ok {
		for _, name := range required {
			if _, there := x[name.(string)]; !there {
				return wrong(at+"/"+name.(string), "is missing")
			}
		}
	}
	if n, ok := limit(schema, "maxProperties"); ok && int64(len(x)) > n {
		return wrong(at, "has too many members")
	}
	props, _ := schema["properties"].(map[string]any)
	for name, v := range x {
		if rule, ok := schema["propertyNames"].(map[string]any); ok {
			if err := s.value(at, rule, name); err != nil {
				return wrong(at, "has a member whose name is not allowed")
			}
		}
		if sub, ok := props[name].(map[string]any); ok {
			if err := s.value(at+"/"+name, sub, v); err != nil {
				return err
			}
			continue
		}
		if sub, ok := schema["additionalProperties"].(map[string]any); ok {
			if err := s.value(at+"/*", sub, v); err != nil {
				return err
			}
			continue
		}
		if open, ok := schema["additionalProperties"].(bool); ok && !open {
			return wrong(at, "has a member that is not known")
		}
	}
	return nil
}

// longest is the greatest length that a named schema of text allows; 0 for any.
func (s *schemas) longest(name string) int {
	schema, _ := s.raw[name].(map[string]any)
	n, _ := limit(schema, "maxLength")
	return int(n)
}

func limit(schema map[string]any, key string) (int64, bool) {
	n, ok := schema[key].(json.Number)
	if !ok {
		return 0, false
	}
	i, err := n.Int64()
	return i, err == nil
}

func wrong(at, rule string) error {
	if at == "" {
		at = "/"
	}
	return fmt.Errorf("%s %s", at, rule)
}

// maxDepth bounds how deep JSON may nest; ours needs three levels.
const maxDepth = 16

// parseJSON reads exactly one JSON value, in UTF-8, no deeper than maxDepth, without members that stand twice.
func parseJSON(b []byte) (any, error) {
	if !utf8.Valid(b) {
		return nil, errors.New("not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	v, err := parseValue(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the value")
	}
	return v, nil
}

func parseValue(d *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errors.New("nested too deep")
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	delim, ok := t.(json.Delim)
	if !ok {
		return t, nil
	}
	if delim == '[' {
		list := []any{}
		for d.More() {
			v, err := parseValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, err
	}
	object := map[string]any{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, ok := t.(string)
		if !ok {
			return nil, errors.New("a member without a name")
		}
		if _, twice := object[name]; twice {
			return nil, errors.New("a member stands twice")
		}
		if object[name], err = parseValue(d, depth+1); err != nil {
			return nil, err
		}
	}
	_, err = d.Token()
	return object, err
}
