package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
)

//go:embed static
var staticFiles embed.FS

// assets are the style sheet, modules and icons. One hash over all of them
// stands in their path, so that a browser keeps them for good and a new version
// is fetched as a whole.
type assets struct {
	prefix string // /static/{hash}/
	files  map[string]asset
}

type asset struct {
	kind        string
	plain, gzip []byte
}

func loadAssets() (*assets, error) {
	a := &assets{files: map[string]asset{}}
	sum := sha256.New()
	err := fs.WalkDir(staticFiles, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := staticFiles.ReadFile(name)
		if err != nil {
			return err
		}
		fmt.Fprintf(sum, "%s %d\n", name, len(b))
		sum.Write(b)
		a.files[strings.TrimPrefix(name, "static/")] = asset{kindOfFile(name), b, squeeze(b)}
		return nil
	})
	a.prefix = "/static/" + hex.EncodeToString(sum.Sum(nil))[:16] + "/"
	return a, err
}

// kindOfFile is the media type of an asset, whatever the host's tables say.
func kindOfFile(name string) string {
	switch ext := path.Ext(name); ext {
	case ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	default:
		return mime.TypeByExtension(ext)
	}
}

func squeeze(b []byte) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression)
	w.Write(b) //nolint:errcheck // a buffer takes everything
	w.Close()  //nolint:errcheck
	return out.Bytes()
}

// ServeHTTP implements http.Handler. Pages themselves are not compressed: they
// hold secrets beside what a stranger may choose.
func (a *assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := a.files[strings.TrimPrefix(r.URL.Path, a.prefix)]
	h := w.Header()
	setHeaders(h, "")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	if !ok {
		http.NotFound(w, r)
		return
	}
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Content-Type", f.kind)
	h.Set("Vary", "Accept-Encoding")
	body := f.plain
	if acceptsGzip(r) {
		h.Set("Content-Encoding", "gzip")
		body = f.gzip
	}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	if r.Method != http.MethodHead {
		w.Write(body) //nolint:errcheck // the browser has gone
	}
}

func acceptsGzip(r *http.Request) bool {
	return slices.ContainsFunc(strings.Split(r.Header.Get("Accept-Encoding"), ","), func(s string) bool {
		name, q, _ := strings.Cut(strings.TrimSpace(s), ";")
		return name == "gzip" && strings.ReplaceAll(q, " ", "") != "q=0"
	})
}
