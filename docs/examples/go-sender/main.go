// A small sender for FCM v1: it takes messages from the container, sends them, and reports every answer.
//
// It keeps reports in memory until they are accepted. A real sender keeps them on disk, or they are lost with it.
package main

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	largestBatch = 500
	longestBody  = 1 << 20
	idle         = 50 * time.Millisecond
)

// Record is a message of the container with its recipients.
type Record struct {
	MessageID   string `json:"message_id"`
	FirebaseApp string `json:"firebase_app"`
	Spam        bool   `json:"spam"`
	Attempt     int    `json:"attempt"`
	Recipients  []struct {
		SubscriberID string `json:"subscriber_id"`
		Token        string `json:"token"`
	} `json:"recipients"`
	V1 map[string]any `json:"v1"`
}

// Report says what FCM answered about one recipient.
type Report struct {
	ReportID     string          `json:"report_id"`
	FirebaseApp  string          `json:"firebase_app"`
	MessageID    string          `json:"message_id"`
	SubscriberID string          `json:"subscriber_id"`
	Token        string          `json:"token"`
	Spam         bool            `json:"spam"`
	SentAt       string          `json:"sent_at"`
	HTTPStatus   int             `json:"http_status"`
	RetryAfter   *string         `json:"retry_after"`
	Response     json.RawMessage `json:"response"`
	Protocol     string          `json:"protocol"`
}

// The timeout covers the whole answer: an FCM that says nothing must not hold the queue up.
var client = &http.Client{Timeout: 2 * time.Second}

func main() {
	fcm := flag.String("fcm", "https://fcm.googleapis.com", "base URL of FCM")
	events := flag.String("events", "", "base URL of events-proxy")
	redis := flag.String("redis", "redis://127.0.0.1:6379/0", "URL of the messages container")
	app := flag.String("app", "", "Firebase app")
	flag.Parse()
	container, err := dial(*redis)
	if err != nil {
		log.Fatal(err)
	}
	var unreported []Report
	for {
		sent := false
		for _, kind := range []string{"regular", "spam"} {
			text, err := container.pop("messages:" + strings.ToLower(*app) + ":" + kind)
			if err != nil {
				log.Fatal(err)
			}
			if text != nil {
				sent = true
				unreported = append(unreported, send(*fcm, text)...)
			}
		}
		unreported = deliver(*events, unreported)
		if !sent {
			time.Sleep(idle)
		}
	}
}

// send pushes a message to each of its recipients.
func send(fcm string, text []byte) []Report {
	var record Record
	if err := json.Unmarshal(text, &record); err != nil || record.V1 == nil {
		log.Printf("a record without a readable v1 part: %v", err)
		return nil
	}
	if record.Attempt == 0 {
		record.Attempt = 1
	}
	reports := make([]Report, 0, len(record.Recipients))
	for _, recipient := range record.Recipients {
		message := map[string]any{"token": recipient.Token}
		for name, value := range record.V1 {
			message[name] = value
		}
		report := Report{
			ReportID:     reportID(record.MessageID, recipient.SubscriberID, record.Attempt),
			FirebaseApp:  record.FirebaseApp,
			MessageID:    record.MessageID,
			SubscriberID: recipient.SubscriberID,
			Token:        recipient.Token,
			Spam:         record.Spam,
			SentAt:       time.Now().UTC().Format("2006-01-02T15:04:05.000Z07:00"),
			Protocol:     "fcm_v1",
		}
		report.HTTPStatus, report.RetryAfter, report.Response = push(fcm, record.FirebaseApp, message)
		reports = append(reports, report)
	}
	return reports
}

// push asks FCM. Without a whole answer, the status is that of a gateway, which counts as temporary.
func push(fcm, project string, message map[string]any) (int, *string, json.RawMessage) {
	body, _ := json.Marshal(map[string]any{"message": message})
	request, _ := http.NewRequest("POST", fcm+"/v1/projects/"+project+"/messages:send", bytes.NewReader(body))
	request.Header.Set("Authorization", "Bearer example")
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return gatewayStatus(err), nil, text("")
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, longestBody))
	if err != nil {
		return gatewayStatus(err), nil, text("")
	}
	var retryAfter *string
	if values := response.Header.Values("Retry-After"); len(values) > 0 {
		retryAfter = &values[0]
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(answer, &object) != nil || object == nil {
		return response.StatusCode, retryAfter, text(string(answer))
	}
	return response.StatusCode, retryAfter, answer
}

func gatewayStatus(err error) int {
	if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
		return http.StatusGatewayTimeout
	}
	return http.StatusBadGateway
}

func text(value string) json.RawMessage {
	encoded, _ := json.Marshal(value)
	return encoded
}

// deliver hands reports to events-proxy, and returns those that it has not accepted.
func deliver(events string, reports []Report) []Report {
	for len(reports) > 0 {
		size := len(reports)
		if size > largestBatch {
			size = largestBatch
		}
		body, _ := json.Marshal(map[string]any{"reports": reports[:size]})
		response, err := client.Post(events+"/v1/reports", "application/json", bytes.NewReader(body))
		if err != nil {
			return reports
		}
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if response.StatusCode != http.StatusAccepted {
			return reports
		}
		reports = reports[size:]
	}
	return reports
}

// reportID derives the id, so that a repeated report is the same one.
func reportID(messageID, subscriberID string, attempt int) string {
	sum := sha1.Sum([]byte(fmt.Sprintf("%s %s %d", messageID, subscriberID, attempt)))
	sum[6], sum[8] = sum[6]&0x0f|0x50, sum[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// Redis speaks as much of its protocol as the container needs.
type Redis struct {
	connection net.Conn
	reader     *bufio.Reader
}

func dial(address string) (*Redis, error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	connection, err := net.Dial("tcp", parsed.Host)
	if err != nil {
		return nil, err
	}
	return &Redis{connection, bufio.NewReader(connection)}, nil
}

// pop removes the head of a list; nil if it is empty.
func (redis *Redis) pop(key string) ([]byte, error) {
	if _, err := fmt.Fprintf(redis.connection, "*2\r\n$4\r\nLPOP\r\n$%d\r\n%s\r\n", len(key), key); err != nil {
		return nil, err
	}
	line, err := redis.reader.ReadString('\n')
	if err != nil {
		return nil, err
	}
	size, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(line, "$")))
	if err != nil {
		return nil, fmt.Errorf("redis: %s", strings.TrimSpace(line))
	}
	if size < 0 {
		return nil, nil
	}
	value := make([]byte, size+2)
	if _, err := io.ReadFull(redis.reader, value); err != nil {
		return nil, err
	}
	return value[:size], nil
}
