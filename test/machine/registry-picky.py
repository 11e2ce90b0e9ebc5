"""registry-picky.py PORT TARGET-PORT BYTES: a proxy as often stands before a registry: it refuses requests with more bytes than these by 413, before it has read them."""
import http.client
import http.server
import sys

port, target, limit = map(int, sys.argv[1:])


class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def handle_any(self):
        length = int(self.headers.get('content-length', 0))
        if length > limit:
            self.send_response(413)
            self.send_header('content-length', '0')
            self.send_header('connection', 'close')
            self.end_headers()
            while length > 0 and (part := self.rfile.read(min(length, 1 << 16))):
                length -= len(part)
            self.close_connection = True
            return
        connection = http.client.HTTPConnection('127.0.0.1', target)
        connection.request(self.command, self.path, self.rfile.read(length), {key: value for key, value in self.headers.items() if key.lower() != 'connection'})
        answer = connection.getresponse()
        body = answer.read()
        self.send_response(answer.status)
        for key, value in answer.getheaders():
            if key.lower() not in ('connection', 'transfer-encoding', 'content-length', 'date', 'server'):
                self.send_header(key, value)
        self.send_header('content-length', answer.headers['content-length'] if self.command == 'HEAD' and 'content-length' in answer.headers else str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        connection.close()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    def log_message(self, *_words):
        pass


http.server.ThreadingHTTPServer(('127.0.0.1', port), Proxy).serve_forever()
