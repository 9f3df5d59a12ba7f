"""Many files through one module, each once: what is done is written down, and an interrupted run goes on.

======================  ===================================================================
``inputs``, ``remote``  which files are meant
``digests``             is it the same file, the same module as before
``manifest``            what is done
``folder``              where results are made, and how they come to their places
``fitting``             what a module that runs for one file reads and writes
``plan``                which files are to be done, and why
``job``                 one file through the module
``processes``           who does it on this machine; ``worker`` is such a process
``on_ray``              who does it on a cluster
``running``             in which order, how often, and what came of it
``results``             what came of each, as plain values
``mapping``             the call for all of that
======================  ===================================================================
"""
