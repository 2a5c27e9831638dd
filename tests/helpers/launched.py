"""Words of programs that a launcher starts as several processes."""

# As torchrun says it where the second process has failed, so that it has ended the first one by SIGTERM.
OUT_OF_MEMORY_BEHIND = """[rank1]: Traceback (most recent call last):
[rank1]: torch.OutOfMemoryError: CUDA out of memory.
Traceback (most recent call last):
torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
Root Cause (first observed failure):
  exitcode  : 1 (pid: 25907)
"""
