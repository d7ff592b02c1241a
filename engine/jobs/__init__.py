"""Work in another process or thread, with one protocol for all. Importing this loads no torch.

messages      the vocabulary: a job, its progress, partial result, result, failure, cause of death
process_job   a job in a separate process
thread_job    a job in a thread of this process, for work that starts processes itself
child         a child process and the pipe to it: start, send, receive, cause of death, end
child_side    the child's end of the pipe: how it begins, and how it ends with its parent
fork_server   starts processes
outbox        messages that wait until a pipe has room
cores         the share of CPU cores for each worker
output        redirection of stdout and stderr
"""
