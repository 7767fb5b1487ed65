package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// superuser is the role that initdb makes. It has no password: whoever may enter the socket's folder is the owner.
const superuser = "postgres"

// ClusterOptions say where a private cluster lives and how much it may use.
type ClusterOptions struct {
	Dir            string        // a folder of the cluster's own; made when it does not exist
	BinDir         string        // folder of initdb and postgres; empty: the machine's newest supported version
	User           string        // system user that runs the server when we are root; empty: postgres, else nobody
	MaxConnections int           // 0: 300
	SharedBuffers  string        // empty: 128MB
	StartTimeout   time.Duration // 0: 5 minutes, for a crash recovery may have much to replay
	Volatile       bool          // do not wait for the disk: for tests, whose data dies with them
}

// Cluster is a private PostgreSQL server that this process started: a unix socket in a folder that only its user may
// enter, no TCP at all. It ends with this process even when that is killed; what was committed stays.
type Cluster struct {
	opts   ClusterOptions
	bin    string
	owner  *owner
	lock   *os.File
	socket string // folder of the socket
	listen string // the same, as the server names it
	cmd    *exec.Cmd
	done   chan struct{} // closed when the server has exited
	exit   error         // how it exited; read after done
}

// StartCluster starts the cluster in opts.Dir, making it first where there is none, and returns when it answers. A
// server that an earlier, killed run left behind in the same folder is stopped cleanly before; a folder that another
// living process uses is refused.
func StartCluster(ctx context.Context, opts ClusterOptions) (_ *Cluster, err error) {
	if opts.MaxConnections == 0 {
		opts.MaxConnections = 300
	}
	if opts.SharedBuffers == "" {
		opts.SharedBuffers = "128MB"
	}
	if opts.StartTimeout == 0 {
		opts.StartTimeout = 5 * time.Minute
	}
	if opts.Dir == "" {
		return nil, fault.New(fault.Invalid, "postgres_dir", "the private PostgreSQL cluster needs a folder")
	}
	if opts.Dir, err = filepath.Abs(opts.Dir); err != nil {
		return nil, fault.Wrap(err, fault.Internal, "postgres_dir", "the folder of the PostgreSQL cluster has no absolute path")
	}
	c := &Cluster{opts: opts, done: make(chan struct{})}
	if c.owner, err = ownerFor(opts.User); err != nil {
		return nil, err
	}
	if err := c.prepareDir(); err != nil {
		return nil, err
	}
	if err := c.owner.reachable(opts.Dir); err != nil {
		return nil, err
	}
	if c.lock, err = lockDir(opts.Dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			c.release()
		}
	}()
	if c.bin, err = findBinaries(opts.BinDir, dataVersion(c.data())); err != nil {
		return nil, err
	}
	if err := stopOrphans(ctx, c.data(), c.fresh()); err != nil {
		return nil, err
	}
	if err := c.initialise(ctx); err != nil {
		return nil, err
	}
	if err := c.prepareSocket(); err != nil {
		return nil, err
	}
	if err := c.start(); err != nil {
		return nil, err
	}
	if err := c.await(ctx); err != nil {
		stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		defer cancel()
		return nil, errors.Join(err, c.Stop(stopCtx))
	}
	return c, nil
}

func (c *Cluster) data() string    { return filepath.Join(c.opts.Dir, "data") }
func (c *Cluster) fresh() string   { return filepath.Join(c.opts.Dir, "data.new") }
func (c *Cluster) logFile() string { return filepath.Join(c.opts.Dir, "postgres.log") }

// DSN is the URL of one of the cluster's databases.
func (c *Cluster) DSN(database string) string {
	// A folder may have a space in its name, and readers of such URLs do not agree that '+' is one.
	q := strings.ReplaceAll(url.Values{"host": {c.socket}, "sslmode": {"disable"}}.Encode(), "+", "%20")
	return (&url.URL{Scheme: "postgres", User: url.User(superuser), Host: "", Path: "/" + database, RawQuery: q}).String()
}

// PID is the process id of the server.
func (c *Cluster) PID() int { return c.cmd.Process.Pid }

// Done is closed when the server has exited, be it by Stop or by an accident.
func (c *Cluster) Done() <-chan struct{} { return c.done }

// Stop ends the server: sessions are cut, transactions under way rolled back, everything written to disk. When ctx
// ends first, the server stops at once and the next start replays its log. The folder is free afterwards.
func (c *Cluster) Stop(ctx context.Context) error {
	defer c.release()
	if c.cmd == nil || c.cmd.Process == nil {
		return nil
	}
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT} {
		if err := c.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fault.Wrap(err, fault.Internal, "postgres_stop", "the private PostgreSQL server could not be told to stop")
		}
		select {
		case <-c.done:
			return nil
		case <-ctx.Done():
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
	}
	return fault.New(fault.Internal, "postgres_stop", "the private PostgreSQL server does not stop")
}

// release gives the folder back; the socket's folder goes when it stood outside it.
func (c *Cluster) release() {
	if c.socket != "" && filepath.Dir(c.socket) != c.opts.Dir {
		_ = os.RemoveAll(c.socket) // an empty folder of ours in the temporary directory; the next start makes another
	}
	if c.lock != nil {
		_ = c.lock.Close() // the lock ends with the descriptor, whatever Close says
		c.lock = nil
	}
}

// initialise makes the data folder. It is built beside its place and moved there whole, so that a kill in between
// never leaves half of one.
func (c *Cluster) initialise(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(c.data(), "PG_VERSION")); err == nil {
		return nil
	}
	if err := os.RemoveAll(c.fresh()); err != nil {
		return fault.Wrap(err, fault.Internal, "postgres_dir", "what an interrupted start left in the PostgreSQL folder cannot be removed")
	}
	if err := c.owner.mkdir(c.fresh()); err != nil {
		return err
	}
	args := []string{"-U", superuser, "-A", "trust", "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums"}
	if c.opts.Volatile {
		args = append(args, "--no-sync")
	}
	cmd, done, err := c.owner.run(ctx, syscall.SIGKILL, filepath.Join(c.bin, "initdb"), c.fresh(), args...)
	if err != nil {
		return err
	}
	defer done()
	runtime.LockOSThread() // the child is killed when the thread that started it ends
	out, err := cmd.CombinedOutput()
	runtime.UnlockOSThread()
	if err != nil {
		return fault.Wrap(fmt.Errorf("initdb: %w: %s", err, tail(out)), fault.Internal, "postgres_init", "a new PostgreSQL cluster cannot be made")
	}
	if err := os.Rename(c.fresh(), c.data()); err != nil {
		return fault.Wrap(err, fault.Internal, "postgres_init", "a new PostgreSQL cluster cannot be put in its place")
	}
	return nil
}

// start runs the server in a process group of its own: a Ctrl-C at the terminal must reach us first, so that what is
// under way can end before its database does.
func (c *Cluster) start() error {
	log, err := openLog(c.logFile())
	if err != nil {
		return err
	}
	defer log.Close()
	settings := []string{
		"listen_addresses=", "unix_socket_directories=" + c.listen, "unix_socket_permissions=0700", "port=5432",
		"max_connections=" + strconv.Itoa(c.opts.MaxConnections), "shared_buffers=" + c.opts.SharedBuffers,
		"timezone=UTC", "log_timezone=UTC", "jit=off", "logging_collector=off",
		// A failed statement and the row it failed on hold what people wrote: neither goes into a log.
		"log_error_verbosity=terse", "log_min_error_statement=panic",
	}
	if c.opts.Volatile {
		settings = append(settings, "fsync=off", "synchronous_commit=off", "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0", "autovacuum=off")
	}
	var args []string
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	cmd, opened, err := c.owner.run(context.Background(), syscall.SIGINT, filepath.Join(c.bin, "postgres"), c.data(), args...)
	if err != nil {
		return err
	}
	defer opened()
	cmd.Stdout, cmd.Stderr = log, log
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // SysProcAttr.Pdeathsig watches this thread, so it lives as long as the child
		err := cmd.Start()
		started <- err
		if err == nil {
			c.exit = cmd.Wait()
		}
		close(c.done)
	}()
	if err := <-started; err != nil {
		return fault.Wrap(err, fault.Internal, "postgres_start", "the private PostgreSQL server cannot be started")
	}
	c.cmd = cmd
	return nil
}

// await asks until the server answers: at once after a clean stop, after the replay of its log after a crash.
func (c *Cluster) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.opts.StartTimeout)
	defer cancel()
	tick := time.NewTicker(15 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, c.DSN("postgres"))
		if err == nil {
			_ = conn.Close(ctx) // it answered; how it says goodbye does not matter
			return nil
		}
		select {
		case <-c.done:
			return fault.Wrap(fmt.Errorf("%w: %s", c.exit, logTail(c.logFile())), fault.Unavailable, "postgres_start",
				"the private PostgreSQL server ended while starting").WithHint("its own words are in " + c.logFile())
		case <-ctx.Done():
			return fault.Wrap(errors.Join(err, ctx.Err()), fault.Unavailable, "postgres_start",
				"the private PostgreSQL server does not answer").WithHint("its own words are in " + c.logFile())
		case <-tick.C:
		}
	}
}

// EnsureDatabase makes the database where there is none.
func (c *Cluster) EnsureDatabase(ctx context.Context, name string) error {
	err := c.exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "42P04" { // duplicate_database
		return nil
	}
	return Fault(err)
}

// CloneDatabase makes a database as a copy of another, which nobody may be using.
func (c *Cluster) CloneDatabase(ctx context.Context, name, template string) error {
	return Fault(c.exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()+" TEMPLATE "+pgx.Identifier{template}.Sanitize()+" STRATEGY wal_log"))
}

// DropDatabase removes a database and cuts whoever uses it.
func (c *Cluster) DropDatabase(ctx context.Context, name string) error {
	return Fault(c.exec(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)"))
}

func (c *Cluster) exec(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, c.DSN("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }() // the statement's own answer is what counts
	_, err = conn.Exec(ctx, sql)
	return err
}
