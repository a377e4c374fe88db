"""A synthetic city: enterprises, their workbooks with planted errors, and its departments' tables.

Nothing here describes a real enterprise or a real month; every name says 样例, 虚构 or 示例.
"""
