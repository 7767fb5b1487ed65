package witness

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/ledger"
)

const (
	// maxRequest bounds a request: an old size line, 63 hashes, an empty line and a checkpoint.
	maxRequest  = 32 + (ledger.MaxPath+1)*45 + ledger.MaxCheckpoint
	maxResponse = ledger.MaxCheckpoint
	sizeType    = "text/x.tlog.size" // C2SP tlog-witness
	textType    = "text/plain; charset=utf-8"
	readTimeout = 10 * time.Second
)

// Handler serves the witness over HTTP, in the manner of C2SP tlog-witness:
//
//	POST /add-checkpoint   200 with the signature line · 400 malformed · 403 unknown log or wrong signature ·
//	                       409 with its size if the old size differs, or another root at the same size · 422 bad proof
//	GET  /checkpoint       the last cosigned checkpoint; ?origin= where several logs are watched
//	GET  /healthz          200 or 503
func (w *Witness) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add-checkpoint", w.addCheckpoint)
	mux.HandleFunc("GET /checkpoint", w.checkpoint)
	mux.HandleFunc("GET /healthz", w.healthz)
	return mux
}

// Server gives the handler the timeouts and limits that it needs in public.
func (w *Witness) Server(addr string) *http.Server {
	return &http.Server{
		Addr: addr, Handler: w.Handler(), MaxHeaderBytes: 16 << 10,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: readTimeout, WriteTimeout: 20 * time.Second, IdleTimeout: 2 * time.Minute,
	}
}

func (w *Witness) addCheckpoint(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxRequest))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			refuse(rw, fault.Wrap(err, fault.TooLarge, CodeMalformed, "the request is too long"))
			return
		}
		refuse(rw, fault.Wrap(err, fault.Invalid, CodeMalformed, "the request cannot be read"))
		return
	}
	old, proof, checkpoint, err := ParseRequest(body)
	if err != nil {
		refuse(rw, err)
		return
	}
	line, err := w.Add(r.Context(), old, proof, checkpoint)
	var stale *ledger.StaleError
	switch {
	case errors.As(err, &stale):
		write(rw, http.StatusConflict, sizeType, []byte(strconv.FormatUint(stale.Size, 10)+"\n"))
	case err != nil:
		refuse(rw, err)
	default:
		write(rw, http.StatusOK, textType, line)
	}
}

func (w *Witness) checkpoint(rw http.ResponseWriter, r *http.Request) {
	cp, err := w.Last(r.URL.Query().Get("origin"))
	if err != nil {
		refuse(rw, err)
		return
	}
	rw.Header().Set("Cache-Control", "no-cache")
	write(rw, http.StatusOK, textType, cp.Text)
}

func (w *Witness) healthz(rw http.ResponseWriter, _ *http.Request) {
	if err := w.Health(); err != nil {
		refuse(rw, err)
		return
	}
	write(rw, http.StatusOK, textType, []byte("ok\n"))
}

// refuse answers with the message for the reader; the cause stays here.
func refuse(rw http.ResponseWriter, err error) {
	status := fault.KindOf(err).HTTPStatus()
	if fault.CodeOf(err) == CodeBadProof {
		status = http.StatusUnprocessableEntity
	}
	message := "internal error"
	var f *fault.Error
	if errors.As(err, &f) && f.Kind != fault.Internal {
		message = f.Message
	}
	write(rw, status, textType, []byte(message+"\n"))
}

func write(rw http.ResponseWriter, status int, contentType string, body []byte) {
	h := rw.Header()
	h.Set("Content-Type", contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	rw.WriteHeader(status)
	// A client that has gone is not our failure, and there is nobody left to tell.
	_, _ = rw.Write(body)
}

// FormatRequest writes the body of add-checkpoint: the old size, the proof, an empty line, the checkpoint.
func FormatRequest(old uint64, proof []ledger.Hash, checkpoint []byte) []byte {
	var b bytes.Buffer
	b.WriteString("old " + strconv.FormatUint(old, 10) + "\n")
	for _, h := range proof {
		b.WriteString(base64.StdEncoding.EncodeToString(h[:]) + "\n")
	}
	b.WriteByte('\n')
	b.Write(checkpoint)
	return b.Bytes()
}

// ParseRequest reads what FormatRequest writes.
func ParseRequest(body []byte) (old uint64, proof []ledger.Hash, checkpoint []byte, err error) {
	bad := fault.New(fault.Invalid, CodeMalformed, "the request is not an old size, a proof and a checkpoint")
	if len(body) > maxRequest {
		return 0, nil, nil, bad
	}
	head, checkpoint, ok := bytes.Cut(body, []byte("\n\n"))
	if !ok {
		return 0, nil, nil, bad
	}
	lines := strings.Split(string(head), "\n")
	digits, ok := strings.CutPrefix(lines[0], "old ")
	old, err = strconv.ParseUint(digits, 10, 64)
	if !ok || err != nil || strconv.FormatUint(old, 10) != digits || len(lines)-1 > ledger.MaxPath {
		return 0, nil, nil, bad
	}
	for _, line := range lines[1:] {
		raw, err := base64.StdEncoding.Strict().DecodeString(line)
		if err != nil || len(raw) != 32 || len(line) != 44 {
			return 0, nil, nil, bad
		}
		proof = append(proof, ledger.Hash(raw))
	}
	return old, proof, checkpoint, nil
}
