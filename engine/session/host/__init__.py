"""The host of a run: a process that owns the run's session and answers other processes.

The run directory stays the source of everything that is shown. Only commands and their answers go
through the host's socket.

address         the directory of sockets, their permissions, and the identity of this machine
note            the file in the run directory that says where a host listens
protocol        the messages between a host and its clients, and how they are framed
resources       the socket, its note and terminals, which the host gives back
server          answers clients, beside whatever else its process does
connection      one client's connection as the server keeps it
orders          carries out commands from clients on the session
client          connects to a host
remote_session  commands a session through that connection
several         the same for a run with several hosts
processes       the processes of a host, and when they have ended
"""
