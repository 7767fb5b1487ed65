package web

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"
	"strings"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// The languages, by BCP 47 tag. Chinese comes first everywhere.
const (
	langZH = "zh-CN"
	langEN = "en"
)

// words is the catalogue of everything the pages say: key → the words in both languages. The two stand side by side in
// the files, so that neither can be forgotten.
type words struct {
	pairs map[string][2]string
}

// loadWords reads text/*.json.
func loadWords(fsys embed.FS) (*words, error) {
	names, err := fs.Glob(fsys, "text/*.json")
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	w := &words{pairs: make(map[string][2]string)}
	for _, name := range names {
		b, err := fsys.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("web: %w", err)
		}
		var part map[string][]string
		if err := json.Unmarshal(b, &part); err != nil {
			return nil, fmt.Errorf("web: %s: %w", name, err)
		}
		for k, v := range part {
			if _, twice := w.pairs[k]; twice || len(v) != 2 {
				return nil, fmt.Errorf("web: %s: %q must stand once, in two languages", name, k)
			}
			w.pairs[k] = [2]string{v[0], v[1]}
		}
	}
	return w, nil
}

// has says whether a key exists.
func (w *words) has(key string) bool { _, ok := w.pairs[key]; return ok }

// say gives the words of a key in a language. "{0}", "{1}" stand for args. A key that does not exist gives itself, which a
// test forbids.
func (w *words) say(lang, key string, args ...any) string {
	pair, ok := w.pairs[key]
	if !ok {
		return key
	}
	text := pair[0]
	if lang == langEN {
		text = pair[1]
	}
	for i, a := range args {
		text = strings.ReplaceAll(text, "{"+strconv.Itoa(i)+"}", fmt.Sprint(a))
	}
	return text
}

// fault gives the message and hint of an error for a reader. Chinese comes from the catalogue by the fault's code; where
// a code has no words of its own, the words of its kind are used.
func (w *words) fault(lang string, err error) (message, hint string) {
	var f *fault.Error
	if !asFault(err, &f) {
		f = fault.New(fault.Internal, "internal", "something went wrong on our side")
	}
	if f.Kind == fault.Internal {
		return w.say(lang, "fault.internal"), w.say(lang, "fault.internal.hint")
	}
	key := "fault." + f.Code
	if lang == langEN {
		message, hint = f.Message, f.Hint
		if message == "" && w.has(key) {
			message = w.say(lang, key)
		}
		if hint == "" && w.has(key+".hint") {
			hint = w.say(lang, key+".hint")
		}
		return message, hint
	}
	if w.has(key) {
		message = w.say(lang, key)
	} else {
		message = w.say(lang, "kind."+kindName(f.Kind))
	}
	if w.has(key + ".hint") {
		hint = w.say(lang, key+".hint")
	}
	return message, hint
}

// kindName is the name of a fault kind in the catalogue and in the log.
func kindName(k fault.Kind) string {
	switch k {
	case fault.Invalid:
		return "invalid"
	case fault.Unauthenticated:
		return "unauthenticated"
	case fault.Forbidden:
		return "forbidden"
	case fault.NotFound:
		return "not_found"
	case fault.Conflict:
		return "conflict"
	case fault.TooLarge:
		return "too_large"
	case fault.TooMany:
		return "too_many"
	case fault.Unavailable:
		return "unavailable"
	case fault.Internal:
		return "internal"
	}
	return "internal"
}

// language chooses the language of an answer: what the address asks for, else what the browser was told before, else what
// it prefers, else Chinese.
func language(r *http.Request) string {
	switch l := r.URL.Query().Get("lang"); {
	case strings.HasPrefix(l, "zh"):
		return langZH
	case strings.HasPrefix(l, "en"):
		return langEN
	}
	if c, err := r.Cookie(cookieLang); err == nil {
		if c.Value == langEN || c.Value == langZH {
			return c.Value
		}
	}
	return accepted(r.Header.Get("Accept-Language"))
}

// accepted reads Accept-Language: the better weighted of the two languages that we have.
func accepted(header string) string {
	if len(header) > 500 {
		return langZH
	}
	zh, en := -1.0, -1.0
	for part := range strings.SplitSeq(header, ",") {
		tag, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		q := 1.0
		if v, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			f, err := strconv.ParseFloat(v, 64)
			if err != nil {
				continue
			}
			q = f
		}
		tag = strings.ToLower(strings.TrimSpace(tag))
		if q <= 0 {
			continue
		}
		switch {
		case tag == "zh" || strings.HasPrefix(tag, "zh-"):
			zh = max(zh, q)
		case tag == "en" || strings.HasPrefix(tag, "en-"):
			en = max(en, q)
		}
	}
	if en > zh {
		return langEN
	}
	return langZH
}
