package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/yinxin-trust/yinxin/ledger"
)

// supervised is the demonstration's witness with somebody who looks after it: one that ends is started again, at the same
// address, and until then the ledger goes on without cosignatures.
type supervised struct {
	URL string     // stays the same as long as we run
	Key ledger.Key // likewise

	dir    string
	log    ledger.Key
	logger *slog.Logger

	mu       sync.Mutex
	current  *witnessProcess
	stopping chan struct{} // closed by stop
	done     chan struct{} // closed when nobody looks any more
}

// superviseWitness starts the witness at the address of an earlier start, if that is free, and looks after it.
func superviseWitness(ctx context.Context, dir string, log ledger.Key, logger *slog.Logger) (*supervised, error) {
	w, err := startWitness(ctx, dir, lastAddress(dir), log)
	if err != nil {
		return nil, err
	}
	s := &supervised{URL: w.URL, Key: w.Key, dir: dir, log: log, logger: logger, current: w, stopping: make(chan struct{}), done: make(chan struct{})}
	go s.watch(w)
	return s, nil
}

func (s *supervised) watch(w *witnessProcess) {
	defer close(s.done)
	addr := lastAddress(s.dir)
	for pause := time.Second; ; pause = min(2*pause, 30*time.Second) {
		select {
		case <-s.stopping:
			return
		case <-w.ended:
			s.logger.Warn("the witness ended and is started again", "error", w.exit)
		}
		select {
		case <-s.stopping:
			return
		case <-time.After(pause):
		}
		next, err := tryWitness(context.Background(), s.dir, addr, s.log)
		if err != nil {
			s.logger.Warn("the witness cannot be started", "error", err)
			continue
		}
		w, pause = next, time.Second
		if !s.hand(next) {
			s.logger.Debug("the witness started while we stop", "error", next.stop())
			return
		}
	}
}

// hand makes a new witness the current one; false when we stop.
func (s *supervised) hand(w *witnessProcess) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.stopping:
		return false
	default:
		s.current = w
		return true
	}
}

// stop ends the witness and its watch.
func (s *supervised) stop() error {
	s.mu.Lock()
	close(s.stopping)
	w := s.current
	s.mu.Unlock()
	<-s.done
	return w.stop()
}

// anyPort lets the system choose.
const anyPort = "127.0.0.1:0"

// lastAddress is where the witness of this folder listened before; any free port for a first start.
func lastAddress(dir string) string {
	b, err := os.ReadFile(filepath.Join(dir, "ready.json"))
	if err != nil {
		return anyPort // the first start
	}
	var ready witnessReady
	if json.Unmarshal(b, &ready) != nil {
		return anyPort
	}
	u, err := url.Parse(ready.URL)
	if err != nil || u.Host == "" {
		return anyPort
	}
	return u.Host
}
