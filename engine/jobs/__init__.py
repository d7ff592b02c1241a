"""Any work in another process or thread, by one protocol. Importing this loads no torch.

messages      the vocabulary: a job, its progress, partial result, result, failure, cause of death
process_job   a job in a process of its own
thread_job    a job on a thread of this process, for work that starts processes itself
child         a process and the pipe to it: start, send, receive, cause of death, end
fork_server   starts processes
child_side        the other end: the first steps of a process, and its end with its parent
output        redirection of stdout and stderr
"""
