// Pub/Sub in memory, by Google's own package for tests: gRPC on 127.0.0.1, without TLS and without a check of tokens.
package main

import (
	"log"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"cloud.google.com/go/pubsub/v2/pstest"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: pubsub PORT")
	}
	port, err := strconv.Atoi(os.Args[1])
	if err != nil {
		log.Fatalf("port %q: %v", os.Args[1], err)
	}
	server := pstest.NewServerWithPort(port)
	defer server.Close()
	log.Printf("pubsub: %s", server.Addr)
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	<-stop
}
