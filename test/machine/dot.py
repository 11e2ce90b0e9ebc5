"""Reads a graph in Graphviz's language on standard input, by the grammar of its manual as far as a digraph without ports, HTML and
subgraphs goes, and prints its nodes and edges, a line each. Anything else is an error."""
import re
import sys

TOKEN = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*"|-?(?:\.\d+|\d+(?:\.\d*)?)|[A-Za-z_\x80-\uffff][\w\x80-\uffff]*)|(->|[{}\[\]=;,]))', re.S)


def tokens(text):
    at = 0
    while text[at:].strip():
        found = TOKEN.match(text, at)
        if not found:
            sys.exit(f"no token: {text[at:at + 40]!r}")
        yield found.group(1) or found.group(2)
        at = found.end()


class Reader:
    def __init__(self, text):
        self.left = list(tokens(text))
        self.lines = []

    def peek(self):
        return self.left[0] if self.left else ''

    def take(self, *wanted):
        got = self.peek()
        if not got or (wanted and got not in wanted):
            sys.exit(f"{got!r} where {' or '.join(wanted) or 'a token'} is due, before {self.left[1:4]}")
        self.left.pop(0)
        return got

    def name(self):
        got = self.take()
        if got in ('->', '{', '}', '[', ']', '=', ';', ','):
            sys.exit(f"{got!r} where a name is due")
        return got[1:-1] if got.startswith('"') else got

    def attributes(self):
        while self.peek() == '[':
            self.take('[')
            while self.peek() != ']':
                self.name()
                self.take('=')
                self.name()
                if self.peek() in (',', ';'):
                    self.take()
            self.take(']')

    def statement(self):
        kind = self.peek()
        first = self.name()
        if self.peek() == '=':
            self.take('=')
            self.name()
        elif kind in ('node', 'edge', 'graph'):
            self.attributes()
        else:
            chain = [first]
            while self.peek() == '->':
                self.take('->')
                chain.append(self.name())
            self.attributes()
            self.lines += [f'{a} -> {b}' for a, b in zip(chain, chain[1:])] or chain
        if self.peek() == ';':
            self.take(';')

    def graph(self):
        self.take('digraph')
        if self.peek() != '{':
            self.name()
        self.take('{')
        while self.peek() != '}':
            self.statement()
        self.take('}')
        if self.left:
            sys.exit(f"after the graph: {self.left[:3]}")


reader = Reader(sys.stdin.read())
reader.graph()
print('\n'.join(reader.lines))
