package cluster

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"yagura/store/desk"
)

// Shared is the one cluster that all test packages of a checkout use at once: the server named by $YAGURA_TEST_DSN when
// that is set, else the one under var/test-pg of the module root, started by whoever comes first and adopted by the rest.
//
// It is left running when the tests end, so that the next run finds it ready; do not Stop it from a test. `make stop` stops it.
// It does not sync to the disk: its databases live as long as one test.
func Shared(ctx context.Context) (*Cluster, error) {
	if dsn := os.Getenv("YAGURA_TEST_DSN"); dsn != "" {
		return &Cluster{foreign: dsn, adopted: true}, nil
	}
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	return Start(ctx, Options{
		Dir:    filepath.Join(root, "var", "test-pg"),
		Params: map[string]string{"fsync": "off", "full_page_writes": "off", "max_connections": "300"},
	})
}

// moduleRoot is the nearest directory above the working directory that holds go.mod; go test runs in the package's folder.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", desk.Wrap(desk.Internal, "cluster.Shared", err)
	}
	for {
		_, err := os.Stat(filepath.Join(dir, "go.mod"))
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			return "", desk.Errorf(desk.NotFound, "cluster.Shared", "go.mod が見つかりません。プロジェクトのフォルダーの中で実行してください。")
		}
		dir = filepath.Dir(dir)
	}
}
