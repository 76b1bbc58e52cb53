// Command perfctl load-tests systems made of RabbitMQ, PostgreSQL, Redis and an
// HTTP API. It is main alone: the commands are in internal/cli.
package main

import (
	"context"
	"os"

	"github.com/perfctl/perfctl/internal/cli"
)

// version is set by the linker.
var version = ""

func main() { os.Exit(cli.Main(context.Background(), os.Args[1:], version)) }
