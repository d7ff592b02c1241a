"""Records and controls a training loop that a user wrote, from inside its process.

The process is host and worker in one: it writes the same log as a worker and serves the same
socket as a host. The user's loop must survive every fault in here.

api            the function that begins it
run            the object that a script uses: batches, updates, records
parts          the parts of a loop, made of what the script gives
beginning      the start of its run: settings, files, thread
opening        the run directory that a loop begins or joins
journal        the record in the loop's own thread, and the orders that the loop obeys
safe_journal   a guard around it, through which no fault gets to the loop
controls       commands of clients, checked at once and obeyed at the next update
lifetime       the end of the script, and forked processes
epochs         epochs that a loop draws from `run.epochs`, or by itself
steering       acts on a loop between two of its updates
checkpoints    checkpoints of a loop, and how a script goes on from one
loop           the parts that touch torch: batches, updates, losses on a device
record         losses put together to chunks, and the thread that writes them and serves the socket
"""
